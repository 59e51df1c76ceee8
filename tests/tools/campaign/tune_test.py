"""The cells, and how the time is shared among them."""

import time
import unittest

from support import Case
from stages import cells, tune


class Tune(Case):
    def test_the_time_left_is_shared_by_importance(self):
        places, left, budgets = list(range(len(cells.GPU_CELLS))), 540, []
        for place in places:
            budgets.append(tune.budget(self.context(deadline=time.time() + left), places[place:]))
            if not budgets[-1]:
                break
            left -= budgets[-1] + tune.OVERHEAD_SECONDS
        self.assertGreaterEqual(left, 0)
        self.assertEqual(budgets, sorted(budgets, reverse=True))
        self.assertGreaterEqual(budgets[0], 2 * tune.LEAST_SECONDS)
        self.assertEqual(tune.budget(self.context(deadline=time.time() + 20), places), 0)
        self.assertEqual(tune.budget(self.context(deadline=time.time() + 5000), places[-1:]), tune.MOST_SECONDS)

    def test_cells_have_distinct_names_and_count_what_is_visible(self):
        names = [cell.name for cell in cells.GPU_CELLS + cells.DRY_CELLS]
        self.assertEqual(len(set(names)), len(names))
        for cell in cells.DRY_CELLS:
            shift = cell.len_kv - cell.len_q
            width = cell.window or cell.len_kv
            slow = sum(cell.mask == "none" or i + shift - width < j <= i + shift
                       for i in range(cell.len_q) for j in range(cell.len_kv))
            self.assertEqual(cell.visible, slow, cell.name)


if __name__ == "__main__":
    unittest.main()
