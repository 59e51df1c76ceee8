"""verify: every problem of the covering list through `attentune verify`, first in watchdog builds, a process each."""

import json
import re
import shlex

from stages import process
from stages.context import Skip
from stages.journal import Journal
from stages.progress import Progress
from stages.workers import reason

CELL_SECONDS = 60
SPREAD = 6  # Configs over the space in the last pass


def covering_list(context):
    """The problems of `attentune verify --all`; on a GPU, whose families take 16 bits, f32 is asked as f16 and bf16."""
    lines = []

    def on_line(line):
        problem = json.loads(line)["problem"]
        if context.device == "host" or "dtype=f32" not in problem:
            lines.append(problem)
        else:
            lines.extend(problem.replace("dtype=f32", f"dtype={dtype}") for dtype in ("f16", "bf16"))

    ended = process.run([context.attentune["cli"], "problems", "--all", "--json"], timeout=20, on_line=on_line)
    if ended.outcome != "ok":
        raise RuntimeError(f"the covering list could not be read: {reason(ended)}")
    lines = list(dict.fromkeys(lines))
    return lines[:6] if context.dry else lines


def passes(context):
    """(name, further arguments), in the order they run."""
    watchdog = [("watchdog", ["--watchdog"])] if context.attentune["watchdog"] else []
    return watchdog + [("default", []), ("spread", ["--all-configs", str(SPREAD)])]


def run(context):
    """The stage. Returns False when a kernel is wrong, hangs or faults."""
    if context.device == "host" and not context.attentune["host_codegen"]:
        raise Skip("this attentune was built without host code generation, so nothing runs on the host")
    journal = Journal(context, "verify")
    if not context.attentune["watchdog"] and not journal.finished("watchdog"):
        journal.write("watchdog", "skipped", reason="this attentune's verify has no --watchdog: a hanging kernel is "
                                                    "ended by its process and says nothing of its barriers")
    lines = covering_list(context)
    cells = [(name, words, line) for name, words in passes(context) for line in lines]
    progress = Progress("verify", len(cells), context.deadline)
    progress.resumed(sum(1 for name, _, line in cells if journal.finished(f"{name}: {line}")))
    bad = {}
    for name, words, line in cells:
        cell = f"{name}: {line}"
        record = journal.finished(cell)
        if not record:
            if context.left < 5:
                break
            record = _one(context, journal, cell, words, line, bad.get(line))
            progress.cell(f"{cell}: {record['outcome']} {record.get('reason', '')}")
        if record["outcome"] not in ("ok", "refused", "skipped"):
            bad[line] = record["outcome"]
    return not bad


def _one(context, journal, cell, words, line, earlier):
    command = [context.attentune["cli"], "verify", line, "--device", context.device, *words]
    shown = shlex.join(["attentune", *command[1:]])
    if earlier in ("timed_out", "crashed"):
        return journal.write(cell, "skipped", command=shown, reason=f"an earlier build of it {earlier}")
    results = []

    def on_line(text):
        result = json.loads(text)
        if result.get("event") == "result":
            results.append(result)

    ended = process.run(command + ["--json"], timeout=min(CELL_SECONDS, context.left), on_line=on_line)
    values = {"kernels": len(results), "worst_error": max((r["error"] for r in results), default=None),
              "configs": [r["config"] for r in results]}
    outcome = "refused" if ended.rc == 2 else ended.outcome
    if outcome == "ok":
        return journal.write(cell, outcome, command=shown, seconds=ended.seconds, **values)
    wrong = re.findall(r"with config '([^']*)' is wrong", ended.err)
    if outcome == "failed" and wrong:
        outcome = "wrong"
    reproduce = [shlex.join([*shlex.split(shown)[:5], "--config", config]) for config in wrong] or [shown]
    return journal.write(cell, outcome, command=shown, seconds=ended.seconds, reason=reason(ended), log=ended.err,
                         reproduce=reproduce, **values)
