"""Outputs are judged and times taken in turn, where this Python has PyTorch."""

import unittest
from unittest import mock

from support import Case
from stages import cells

try:
    import torch
    from stages import attention, timing
except ImportError:
    torch = None


@unittest.skipUnless(torch, "there is no PyTorch for this Python")
class Bench(Case):
    def test_the_judge_rejects_what_is_wrong(self):
        cell = cells.Cell("bf16", 64, 60, 200, "causal", batch=2, heads=4, heads_kv=2)
        tensors = attention.Tensors(cell, "cpu")
        judge = attention.Judge(tensors)
        right = attention.unfused(tensors)()
        self.assertLessEqual(judge.error(right), 1)
        self.assertGreater(judge.error(torch.zeros_like(right)), 1)
        self.assertEqual(judge.error(tensors.output()), 1e300)
        self.assertGreater(judge.error(right.roll(1, 2)), 1)  # another head's
        self.assertEqual(judge.distance(right, right), 0)
        one_off = right.clone()
        one_off[1, 30, 2] = 0
        self.assertGreater(judge.distance(right, one_off), 4)
        shorter = attention.Tensors(cell, "cpu")
        shorter.k[:, :32] = -100 * shorter.k[:, :32]  # a tile of keys as good as dropped
        self.assertGreater(judge.error(attention.unfused(shorter)()), 1)

    def test_calls_take_turns_by_the_events_of_the_device(self):
        now = [0.0]

        class Event:
            def __init__(self, enable_timing):
                assert enable_timing

            def record(self):
                self.at = now[0]

            def elapsed_time(self, other):
                return other.at - self.at

        def taking(ms):
            def call():
                now[0] += ms
            return call

        empty = torch.empty
        with mock.patch.object(torch, "empty", lambda *sizes, dtype, device: empty(8, dtype=dtype)), \
                mock.patch.object(torch.cuda, "Event", Event), mock.patch.object(torch.cuda, "synchronize"):
            times = timing.interleaved(timing.CudaClock(), {"a": taking(2.0), "b": taking(3.0)}, 0)
        self.assertEqual([times[name]["ms"] for name in "ab"], [2.0, 3.0])
        self.assertEqual(times["a"]["rounds"], timing.LEAST_ROUNDS)


if __name__ == "__main__":
    unittest.main()
