"""Times of several calls, taken in turn so that clocks and temperature treat all alike, each with a cold L2."""

import time

import torch

FLUSH_BYTES = {"cuda": 512 << 20, "cpu": 1 << 20}
LEAST_ROUNDS, MOST_ROUNDS = 7, 40


class CudaClock:
    """Events around each call. Writing the flush buffer takes longer than the host needs to launch, so that launches
    are queued before the device comes to them."""

    def __init__(self):
        self._flush = torch.empty(FLUSH_BYTES["cuda"], dtype=torch.uint8, device="cuda")
        self._pairs = []

    def time(self, call):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        self._flush.fill_(1)
        begin.record()
        call()
        end.record()
        return begin, end

    def stream(self):
        """Where PyTorch queues its own kernels, as a number."""
        return torch.cuda.current_stream().cuda_stream

    def synchronize(self):
        torch.cuda.synchronize()

    def milliseconds(self, stamp):
        begin, end = stamp
        return begin.elapsed_time(end)


class HostClock:
    def __init__(self):
        self._flush = torch.empty(FLUSH_BYTES["cpu"], dtype=torch.uint8)

    def time(self, call):
        self._flush.fill_(1)
        begin = time.perf_counter()
        call()
        return begin, time.perf_counter()

    def stream(self):
        return None

    def synchronize(self):
        pass

    def milliseconds(self, stamp):
        return (stamp[1] - stamp[0]) * 1e3


def interleaved(clock, calls, seconds):
    """{name: {"ms", "min_ms", "spread", "rounds"}}: medians over rounds in which every call has its turn, the order
    moving on by one each round; spread = (p80 - p20) / median. Takes about `seconds`."""
    names = list(calls)
    for name in names:  # warm: nothing compiles or loads while it is timed
        calls[name]()
    clock.synchronize()
    begin = time.perf_counter()
    for name in names:
        clock.time(calls[name])
    clock.synchronize()
    rounds = int(seconds / max(time.perf_counter() - begin, 1e-6))
    rounds = max(LEAST_ROUNDS, min(MOST_ROUNDS, rounds))
    stamps = {name: [] for name in names}
    for turn in range(rounds):
        for place in range(len(names)):
            name = names[(turn + place) % len(names)]
            stamps[name].append(clock.time(calls[name]))
    clock.synchronize()
    return {name: _summary(sorted(map(clock.milliseconds, stamps[name]))) for name in names}


def _summary(times):
    count = len(times)
    median = times[count // 2]
    return {"ms": median, "min_ms": times[0], "spread": (times[count * 8 // 10] - times[count * 2 // 10]) / median,
            "rounds": count}
