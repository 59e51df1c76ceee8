"""tune: the cells by importance through `attentune tune`, the time shared among those that are left; then the winners
as JSON lines beside the Store they stand in."""

import json
import os
import shlex
import time

from stages import process
from stages.cells import cells, tflops
from stages.context import Skip
from stages.journal import Journal
from stages.progress import Progress, clock
from stages.workers import reason

LEAST_SECONDS, MOST_SECONDS = 12, 90  # of search for a problem
OVERHEAD_SECONDS = 6  # references for verification and the first compile, beside the budget
EXPORT_SECONDS = 10
STORE_BYTES = "12M"
PROGRESS_EVERY = 5


def weight(place):
    """How much more time a problem deserves than the last ones, by its place in the order of importance."""
    return max(1, 4 - place // 4)


def budget(context, places):
    """Seconds of search for the problem at places[0], when those at `places` are left; 0 when the time does not suffice
    for it."""
    if context.dry:
        return 1
    left = context.left - EXPORT_SECONDS
    if left < LEAST_SECONDS + OVERHEAD_SECONDS:
        return 0
    share = left * weight(places[0]) / sum(map(weight, places)) - OVERHEAD_SECONDS
    return round(min(MOST_SECONDS, left - OVERHEAD_SECONDS, max(LEAST_SECONDS, share)))


def run(context):
    """The stage. Returns False when a problem has no verified winner."""
    if context.device == "host" and not context.attentune["host_codegen"]:
        raise Skip("this attentune was built without host code generation, so nothing runs on the host")
    journal = Journal(context, "tune")
    problems = cells(context)
    progress = Progress("tune", len(problems), context.deadline)
    todo = [cell for cell in problems if not journal.finished(cell.name)]
    progress.resumed(len(problems) - len(todo))
    places = [problems.index(cell) for cell in todo]
    good, best = True, 0
    try:
        for index, cell in enumerate(todo):
            seconds = budget(context, places[index:])
            if not seconds:
                print(f"[tune] no time left for {len(todo) - index} problems; the same command goes on there")
                break
            record = _one(context, journal, cell, seconds)
            good = good and record["outcome"] in ("ok", "refused", "unfinished")
            if record.get("tflops", 0) > best:
                best = record["tflops"]
                progress.best = f"{best} TFLOP/s ({cell.name})"
            progress.cell(f"{cell.name}: {record['outcome']} {_sentence(record)}")
    finally:
        export(context)
    return good


def _sentence(record):
    if not record.get("time_ms"):
        return record.get("reason", "")
    return f"{record['time_ms']:.4g} ms, {record['tflops']} TFLOP/s, {record['tried']} Configs: {record['config']}"


def _one(context, journal, cell, seconds):
    command = [context.attentune["cli"], "tune", cell.problem, "--device", context.device, "--store",
               str(context.store_path), "--budget", str(seconds)]
    shown = shlex.join(["attentune", *command[1:]])
    last, result, shown_at = {}, {}, time.time()

    def on_line(text):
        nonlocal last, result, shown_at
        event = process.event(text)
        if event.get("event") == "result":
            result = event
            return
        last = event or last
        if event and time.time() - shown_at > PROGRESS_EVERY:
            shown_at = time.time()
            best = f"best {event['best_ms']:.4g} ms" if event["best_ms"] else "none yet"
            print(f"  {cell.name}: {event['stage']} {event['tried']}/{event['planned']}, {event['rate']:.1f}/s, "
                  f"{clock(event['eta_s'])} left, {best}", flush=True)

    ended = process.run(command + ["--json"], timeout=min(seconds + 60, context.left + EXPORT_SECONDS),
                        on_line=on_line, patience=20)
    values = {"problem": cell.problem, "budget_s": seconds, "tried": last.get("tried", 0)}
    if ended.outcome == "ok" and result.get("time_ms"):
        return journal.write(cell.name, "ok", command=shown, seconds=ended.seconds, **values, family=result["family"],
                             config=result["config"], time_ms=result["time_ms"], spread=result["spread"],
                             tflops=tflops(cell, result["time_ms"]), error=result["error"],
                             default_ms=last.get("default_ms"))
    outcome = "refused" if ended.rc == 2 else "failed" if ended.outcome == "ok" else ended.outcome
    if ended.out_of_time and context.left < 0:
        outcome = "unfinished"  # the stage's time was up; what was measured is in the Store
    return journal.write(cell.name, outcome, command=shown, seconds=ended.seconds, reason=reason(ended), log=ended.err,
                         reproduce=[shown], **values)


def export(context):
    """winners.jsonl: each winner and its measurements, as `attentune cache` prints them."""
    if not context.store_path.exists():
        return
    cache = [context.attentune["cli"], "cache"]
    store = ["--store", str(context.store_path)]
    rows = []

    def keep(text):
        row = process.event(text)
        if row.get("event") in ("winner", "measurement"):  # its source can be rendered again and is long
            rows.append(row)

    process.run([*cache, "list", "--json", *store], timeout=30, on_line=keep)
    for key in [row["key"] for row in rows if row["event"] == "winner"]:
        process.run([*cache, "show", key, "--json", *store], timeout=30, on_line=keep)
    process.run([*cache, "prune", "--size", STORE_BYTES, *store], timeout=60)
    scratch = context.folder / "winners.jsonl.new"
    scratch.write_text("".join(json.dumps(row) + "\n" for row in rows))
    os.replace(scratch, context.folder / "winners.jsonl")
