"""verify: what `attentune verify --all` verifies on the device, first in watchdog builds, a process each."""

import re
import shlex

from stages import process
from stages.context import Skip
from stages.journal import Journal
from stages.progress import Progress
from stages.workers import reason

CELL_SECONDS = 30
LIST_SECONDS = 60  # it opens the device
LEAST_SECONDS = 5  # left, or no further kernel is begun
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


def cells(context):
    """(cell, kernel, problem, further arguments) of every pass, in the order they run; `kernel` names it in each."""
    listed = covering_list(context)
    for name, words in passes(context):
        for problem, config in listed:
            if not config:
                yield f"{name}: {problem}", problem, problem, words
            elif name != "spread":  # its point is that Config
                kernel = f"{problem} [{config}]"
                yield f"{name}: {kernel}", kernel, problem, [*words, "--config", config]


def passes(context):
    """(name, further arguments), in the order they run."""
    watchdog = [("watchdog", ["--watchdog"])] if context.attentune["watchdog"] else []
    return watchdog + [("default", []), ("spread", ["--all-configs", str(DRY_SPREAD if context.dry else SPREAD)])]


def run(context):
    """The stage. Returns False when a kernel is wrong, hangs or faults."""
    if context.device == "host" and not context.attentune["host_codegen"]:
        raise Skip("this attentune was built without host code generation, so nothing runs on the host")
    journal = Journal(context, "verify")
    if not context.attentune["watchdog"] and not journal.finished("watchdog"):
        journal.write("watchdog", "skipped", reason="this attentune's verify has no --watchdog: a hanging kernel is "
                                                    "ended by its process and says nothing of its barriers")
    planned = list(cells(context))
    progress = Progress("verify", len(planned), context.deadline)
    progress.resumed(sum(1 for cell, *_ in planned if journal.finished(cell)))
    bad = {}
    for cell, kernel, line, words in planned:
        record = journal.finished(cell)
        if not record:
            if context.left < LEAST_SECONDS:
                break
            record = _one(context, journal, cell, words, line, bad.get(kernel))
            progress.cell(f"{cell}: {record['outcome']} {record.get('reason', '')}")
        if record["outcome"] not in ("ok", "refused", "skipped", "unfinished"):
            bad[kernel] = record["outcome"]
    return not bad


def _one(context, journal, cell, words, line, earlier):
    command = [context.attentune["cli"], "verify", line, "--device", context.device, *words]
    shown = shlex.join(["attentune", *command[1:]])
    if earlier and earlier != "wrong":  # it hung, trapped or did not compile: without its watchdog it costs a minute
        return journal.write(cell, "skipped", command=shown, reason=f"an earlier pass {earlier}")
    results = []

    def on_line(text):
        result = process.event(text)
        if result.get("event") == "result":
            results.append(result)

    patience = CELL_SECONDS * (2 if words and words[0] == "--all-configs" else 1)
    limit = min(patience, context.left)
    ended = process.run(command + ["--json"], timeout=limit, on_line=on_line)
    values = {"kernels": len(results), "worst_error": max((r["error"] for r in results), default=None),
              "configs": [r["config"] for r in results]}
    outcome = "refused" if ended.rc == 2 else ended.outcome
    if ended.out_of_time and limit < patience:
        outcome = "unfinished"  # the stage's time was up, which says nothing of the kernel
    if outcome in ("ok", "unfinished"):
        return journal.write(cell, outcome, command=shown, seconds=ended.seconds, **values)
    wrong = re.findall(r"with config '([^']*)' is wrong", ended.err)
    if outcome == "failed" and wrong:
        outcome = "wrong"
    reproduce = [shlex.join([*shlex.split(shown)[:5], "--config", config]) for config in wrong] or [shown]
    return journal.write(cell, outcome, command=shown, seconds=ended.seconds, reason=reason(ended), log=ended.err,
                         reproduce=reproduce, **values)
