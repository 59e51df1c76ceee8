"""questions: the scripts of tools/gpu/questions, whose rows are gathered in questions.jsonl.

While they run their files stand in a folder of their own; outside it every row is one line of questions.jsonl with the
file it belongs to, so that few files come back and the next run finds its own again."""

import json
import os
import pathlib
import shutil
import sys

from stages import process
from stages.context import Skip
from stages.journal import Journal, read
from stages.workers import reason

SCRIPTS = pathlib.Path(__file__).resolve().parent.parent / "questions"
REPORT = "report.txt"  # of report.py, for people


def _environment():
    return dict(os.environ, PYTHON=sys.executable, PYTHONUNBUFFERED="1", PYTHONDONTWRITEBYTECODE="1")


def spread(context, folder):
    """questions.jsonl -> one file a source, as the scripts left them."""
    folder.mkdir(parents=True, exist_ok=True)
    for row in read(context.folder / "questions.jsonl"):
        path = folder / row.pop("file")
        with open(path, "a") as file:
            # Without blanks, as the scripts write rows and look for them.
            file.write(row["text"] if path.suffix != ".jsonl" else json.dumps(row, separators=(",", ":")) + "\n")


def gather(context):
    """The other way round, after a run or what is left of one; the text files become rows too."""
    folder = working_folder(context)
    if not folder.exists():
        return
    scratch = context.folder / "questions.jsonl.new"
    with open(scratch, "w") as out:
        for path in sorted(folder.iterdir()):
            if path.suffix == ".jsonl":
                for row in read(path):
                    out.write(json.dumps({"file": path.name, **row}) + "\n")
            else:
                out.write(json.dumps({"file": path.name, "text": path.read_text(errors="replace")}) + "\n")
    os.replace(scratch, context.folder / "questions.jsonl")
    shutil.rmtree(folder)


def working_folder(context):
    return context.folder / "questions.running"


def run(context):
    """The stage. Returns False when a script ended badly."""
    journal = Journal(context, "questions")
    cells = _dry_cells(context) if context.dry else _cells(context)
    good = True
    for name, command, timeout in cells:
        record = journal.finished(name)
        if not record:
            print(f"[questions] {name}, at most {timeout:.0f} s", flush=True)
            lines = []
            ended = process.run(command, timeout=timeout, on_line=lines.append if context.dry else _show,
                                env=_environment(), patience=2)
            if context.dry:
                print(f"  {len(lines)} lines, the last: {lines[-1] if lines else 'none'}")
            outcome, why = ended.outcome, {}
            if ended.out_of_time:  # the limit is the stage's own: what is done is kept, the rest is for the next run
                outcome, why = "unfinished", {"reason": reason(ended)}
            elif outcome != "ok":
                why = {"reason": reason(ended), "log": ended.err}
            elif not context.dry:
                gather(context)
                outcome, why = _judge(context)
            record = journal.write(name, outcome, seconds=ended.seconds, command=" ".join(command), **why)
        good = good and record["outcome"] in ("ok", "unfinished")
    return good


def _show(line):
    print("  " + line, flush=True)


def _judge(context):
    """What the rows say of run_all.sh, which ends well whatever its stages did."""
    rows = read(context.folder / "questions.jsonl")
    ends = {row["name"]: row["rc"] for row in rows if row.get("q") == "stage" and "rc" in row}
    failed = [f"{name}: {rc}" for name, rc in ends.items() if rc not in (0, "no time left")]
    # The last run of the peers counts: it begins with peer_env and ends with peer_stop when it did not come through.
    last = [row["q"] for row in rows if row.get("q") in ("peer_env", "peer_stop")][-1:]
    if not any(name.startswith("micro ") for name in ends):
        failed.append("micro was not built")
    if failed:
        return "failed", {"reason": "; ".join(failed)}
    peers_left = "peers" not in ends or last == ["peer_stop"]
    if peers_left or "no time left" in ends.values():
        return "unfinished", {"reason": "time was up; the same command goes on there"}
    return "ok", {}


def _cells(context):
    if not context.machine["numpy"]:
        raise Skip("the scripts need numpy")
    folder = working_folder(context)
    gather(context)  # what an earlier run left when it was killed
    spread(context, folder)
    minutes = f"{context.left / 60:.2f}"
    return [("run_all", ["bash", str(SCRIPTS / "run_all.sh"), str(folder), minutes], context.left)]


def _dry_cells(context):
    """Lists the peers' cells, and compiles every kernel of the facts where numpy and NVRTC are."""
    left = max(1, context.left)
    cells = [("peers --dry", [sys.executable, str(SCRIPTS / "peers.py"), os.devnull, "--dry"], left)]
    if context.machine["numpy"] and context.machine["nvrtc"]:
        cells.append(("facts --dry", [sys.executable, str(SCRIPTS / "facts_check.py"), os.devnull, "--dry"], left))
    return cells
