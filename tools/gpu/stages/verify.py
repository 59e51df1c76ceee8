"""verify: what `attentune verify --all` verifies on the device, first in watchdog builds, a process each."""

import re
import shlex
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from stages import process
from stages.context import Skip
from stages.journal import Journal
from stages.progress import Progress
from stages.workers import reason

CELL_SECONDS = 30
LIST_SECONDS = 60  # it opens the device
LEAST_SECONDS = 5  # left, or no further kernel is begun
AT_ONCE = 8  # most processes on a GPU: nothing is timed here, and most of a process is start, compiler and reference
DRY_LINES, DRY_SPREAD, SPREAD = 4, 2, 6  # SPREAD: Configs over the space in the last pass


def covering_list(context):
    """(problem, Config) of `attentune verify --all`; Config "": the problem's default. On a GPU, whose families take
    16 bits, f32 is asked as f16 and bf16."""
    found = []

    def on_line(line):
        event = process.event(line)
        problem, config = event.get("problem", ""), event.get("config", "")
        if context.device == "host" or "dtype=f32" not in problem:
            found.append((problem, config))
        else:
            found.extend((problem.replace("dtype=f32", f"dtype={dtype}"), config) for dtype in ("f16", "bf16"))

    command = [context.attentune["cli"], "problems", "--all", "--device", context.device, "--json"]
    ended = process.run(command, timeout=LIST_SECONDS, on_line=on_line)
    if ended.outcome != "ok":
        raise RuntimeError(f"the covering list could not be read: {reason(ended)}")
    found = [pair for pair in dict.fromkeys(found) if pair[0]]
    return found[:DRY_LINES] if context.dry else found


@dataclass(frozen=True)
class Cell:
    name: str
    kernel: str  # the same in every pass
    problem: str
    words: tuple  # further arguments

    def command(self, context):
        return [context.attentune["cli"], "verify", self.problem, "--device", context.device, *self.words]

    @property
    def patience(self):
        return CELL_SECONDS * (2 if "--all-configs" in self.words else 1)


def passes(context):
    """(name, further arguments), in the order they run."""
    watchdog = [("watchdog", ["--watchdog"])] if context.attentune["watchdog"] else []
    return watchdog + [("default", []), ("spread", ["--all-configs", str(DRY_SPREAD if context.dry else SPREAD)])]


def cells(context):
    """The Cells of every pass, a list each. Kernels of known models come first: they are what tune and bench run."""
    listed = sorted(covering_list(context), key=lambda pair: not pair[1])
    for name, words in passes(context):
        shipped = [Cell(f"{name}: {problem} [{config}]", f"{problem} [{config}]", problem,
                        (*words, "--config", config)) for problem, config in listed if config]
        others = [Cell(f"{name}: {problem}", problem, problem, tuple(words)) for problem, config in listed if not config]
        yield others if name == "spread" else shipped + others  # the point of `shipped` is that Config


def run(context):
    """The stage. Returns False when a kernel is wrong, hangs or faults."""
    if context.device == "host" and not context.attentune["host_codegen"]:
        raise Skip("this attentune was built without host code generation, so nothing runs on the host")
    journal = Journal(context, "verify")
    if not context.attentune["watchdog"] and not journal.finished("watchdog"):
        journal.write("watchdog", "skipped", reason="this attentune's verify has no --watchdog: a hanging kernel is "
                                                    "ended by its process and says nothing of its barriers")
    plan = list(cells(context))
    progress = Progress("verify", sum(map(len, plan)), context.deadline)
    progress.resumed(sum(1 for each in plan for cell in each if journal.finished(cell.name)))
    bad = {}
    for cells_of_pass in plan:
        for cell, record in _run_pass(context, journal, cells_of_pass, dict(bad), progress):
            if record["outcome"] not in ("ok", "refused", "skipped", "unfinished"):
                bad[cell.kernel] = record["outcome"]
    return not bad


def _run_pass(context, journal, cells_of_pass, bad, progress):
    """(cell, record) of every cell that time sufficed for, as they end. `bad`: outcomes of kernels in earlier passes."""
    stop = threading.Event()
    with ThreadPoolExecutor(_at_once(context)) as pool:
        try:
            running = {}
            for cell in cells_of_pass:
                if journal.finished(cell.name):
                    yield cell, journal.finished(cell.name)
                elif bad.get(cell.kernel, "wrong") != "wrong":
                    # It hung, trapped or did not compile: without its watchdog it costs a minute.
                    record = journal.write(cell.name, "skipped", command=_shown(context, cell),
                                           reason=f"an earlier pass {bad[cell.kernel]}")
                    progress.cell(f"{cell.name}: skipped {record['reason']}")
                    yield cell, record
                else:
                    running[pool.submit(_verify, context, cell, stop)] = cell
            for future in as_completed(running):
                if future.result():
                    record = _judge(context, journal, running[future], *future.result())
                    progress.cell(f"{record['cell']}: {record['outcome']} {record.get('reason', '')}")
                    yield running[future], record
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)


def _at_once(context):
    """On a host a kernel has all cores."""
    return 1 if context.device == "host" else max(1, min(AT_ONCE, context.machine["cores"] // 2))


def _shown(context, cell):
    return shlex.join(["attentune", *cell.command(context)[1:]])


def _verify(context, cell, stop):
    """Runs in a thread: (Finished, results, seconds it was given), or None when it was not begun."""
    if stop.is_set() or context.left < LEAST_SECONDS:
        return None
    results = []

    def on_line(text):
        result = process.event(text)
        if result.get("event") == "result":
            results.append(result)

    limit = min(cell.patience, context.left)
    ended = process.run(cell.command(context) + ["--json"], timeout=limit, on_line=on_line, stop=stop.is_set)
    return ended, results, limit


def _judge(context, journal, cell, ended, results, limit):
    shown = _shown(context, cell)
    values = {"kernels": len(results), "worst_error": max((r["error"] for r in results), default=None),
              "configs": [r["config"] for r in results]}
    outcome = "refused" if ended.rc == 2 else ended.outcome
    if ended.out_of_time and limit < cell.patience:
        outcome = "unfinished"  # the stage's time was up, which says nothing of the kernel
    if outcome in ("ok", "unfinished"):
        return journal.write(cell.name, outcome, command=shown, seconds=ended.seconds, **values)
    named = re.findall(r"with config '([^']*)' (is wrong|stopped the device)", ended.err)
    if outcome == "failed" and named:  # a stopped device is as good as a crash: what ran then had no other end
        outcome = "wrong" if all(what == "is wrong" for _, what in named) else "crashed"
    words = shlex.split(shown)[:5]
    reproduce = [shlex.join([*words, "--config", config]) for config, _ in named] or [shown]
    return journal.write(cell.name, outcome, command=shown, seconds=ended.seconds, reason=reason(ended), log=ended.err,
                         reproduce=reproduce, **values)
