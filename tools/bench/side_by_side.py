"""attentune and another library in turns, in one process, on the same tensors: what the comparisons share."""
import math
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import attentune_ctypes as attentune


def cells(kinds, everything):
    """(kind, batch, heads, KV heads, d, rows, keys, causal)"""
    for kind in kinds:
        for dim in (64, 128):
            for seq in (512, 1024, 4096) if everything else (512, 1024):
                for causal in (False, True):
                    yield kind, 1, 8, 8, dim, seq, seq, causal
            yield kind, 8, 32, 8, dim, 1, 4096, False


def runtime(path, threads):
    """The library's default Configs: no Store."""
    return attentune.Interface(path).runtime(device="host", store="", threads=threads)


def bind(runtime, text, **addresses):
    """A function that runs the problem once; what it needs lives as long as the process."""
    problem = runtime.abi.problem(text)
    return runtime.kernel(problem).bind(problem, **addresses).launch


def seconds(call):
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def rest():
    """Until no thread of this process works any more: OpenMP's spin for a while after a call, on cores others need."""
    for _ in range(200):
        begin, busy = time.perf_counter(), time.process_time()
        time.sleep(0.005)
        if time.process_time() - busy < 0.1 * (time.perf_counter() - begin):
            return
    sys.exit("a thread of this process never rests (OMP_WAIT_POLICY=active?); --no-rest measures without")


def turn(call, span=0.02):
    """Median seconds of calls one after another, the first of which wakes threads and caches and does not count."""
    call()
    times = []
    begin = time.perf_counter()
    while not times or time.perf_counter() - begin < span:
        times.append(seconds(call))
    return statistics.median(times)


def compare(ours, theirs, budget, rests=True):
    """Median seconds of both and the median ratio of neighbouring turns. With rests a turn is some calls, after a rest;
    without, one call, whatever the other's threads still do."""
    def measure(call):
        if not rests:
            return seconds(call)
        rest()
        return turn(call)

    for call in (ours, theirs):
        call()
    rows = []
    begin = time.perf_counter()
    while len(rows) < 5 or (len(rows) < 1000 and time.perf_counter() - begin < budget):
        rows.append((measure(ours), measure(theirs)))
    return (statistics.median(r[0] for r in rows), statistics.median(r[1] for r in rows),
            statistics.median(r[1] / r[0] for r in rows))


class Table:
    """Printed line by line as cells are measured."""

    def __init__(self, other, rests=True):
        self.rests = rests
        self.ratios = []
        print(f"| cell | attentune ms | {other} ms | ratio |\n|---|---|---|---|")

    def measure(self, text, ours, theirs, budget):
        mine, other, ratio = compare(ours, theirs, budget, self.rests)
        self.ratios.append(ratio)
        print(f"| {text} | {mine * 1e3:.3f} | {other * 1e3:.3f} | {ratio:.2f} |", flush=True)

    def end(self):
        geomean = math.exp(statistics.fmean(math.log(r) for r in self.ratios))
        print(f"\ngeomean={geomean:.2f} worst={min(self.ratios):.2f} cells={len(self.ratios)}")


def check_same(text, ours, theirs, tolerance):
    """Ends the program where two arrays differ by more, or hold a NaN."""
    difference = abs(ours.astype("f8") - theirs.astype("f8")).max()
    if not difference < tolerance:
        sys.exit(f"{text}: the results differ by {difference}")
