"""Lines that say how far a stage is, how fast, how long still, and what was best so far."""

import time


def clock(seconds):
    seconds = max(0, round(seconds))
    return f"{seconds // 60}:{seconds % 60:02}"


class Progress:
    def __init__(self, stage, cells, deadline):
        self.stage = stage
        self.cells = cells
        self.deadline = deadline
        self.done = 0
        self.best = ""
        self._started = time.time()

    def cell(self, text):
        """After each cell: `text` says what came of it."""
        self.done += 1
        elapsed = max(1e-3, time.time() - self._started)
        eta = min(elapsed / self.done * (self.cells - self.done), self.deadline - time.time())
        best = f", best {self.best}" if self.best else ""
        print(f"[{self.stage} {self.done}/{self.cells}, {60 * self.done / elapsed:.0f}/min, {clock(eta)} left{best}] "
              f"{text}", flush=True)

    def resumed(self, count):
        if count:
            self.cells -= count
            print(f"[{self.stage}] {count} finished before and not repeated", flush=True)
