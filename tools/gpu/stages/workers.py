"""Cells that share a process because starting one is dear, and survive each other because it is restarted.

The worker reads {"context", "cells"} from standard input and prints {"begin": cell} before and {"cell": cell, ...}
after each. Where it dies or falls silent, the cell it had begun has failed and another process takes the rest."""

import json
import pathlib
import sys
import time

from stages import process

MOST_DEATHS = 3  # before anything came through: then it is the worker that is at fault
CAMPAIGN = pathlib.Path(__file__).resolve().parent.parent / "campaign"


def run_cells(context, worker, cells, *, silence, on_result):
    """Gives `cells` (names) to `campaign --worker NAME`. on_result(cell, values) once a cell: what the worker printed,
    or {"outcome": "crashed" or "timed_out", "reason"}. Returns at the context's deadline; what is left was not begun.
    """
    left = list(cells)
    deaths, ever = 0, False  # in a row; has a cell ever come through?
    while left and context.left > 0:
        begun = None

        def on_line(line):
            nonlocal begun, deaths, ever
            message = process.event(line)
            if "begin" in message:
                begun = message["begin"]
            elif message.get("cell") in left:
                left.remove(message["cell"])
                begun, deaths, ever = None, 0, True
                on_result(message.pop("cell"), message)

        ended = process.run([sys.executable, str(CAMPAIGN), "--worker", worker], timeout=context.left, silence=silence,
                            on_line=on_line, stdin=json.dumps({"context": context.to_json(), "cells": left}))
        if ended.rc == 0 or ended.out_of_time:
            return
        deaths += 1
        if begun in left:
            left.remove(begun)
            on_result(begun, {"outcome": ended.outcome, "reason": reason(ended), "log": ended.err})
        if deaths >= MOST_DEATHS and not (ever and begun):
            raise RuntimeError(f"the worker of {worker} never comes through: {reason(ended)}")


def reason(ended):
    if ended.killed:
        return f"killed after {ended.seconds:.0f} s ({ended.killed})"
    lines = [line for line in ended.err.strip().splitlines() if line.strip()]
    return f"exit {ended.rc}: {lines[-1][:300] if lines else 'no message'}"


def serve(text, open_bench):
    """The worker's side: open_bench(context) gives measure(cell) -> values. The first exception that leaves measure
    ends the process: after a CUDA error nothing in it can be trusted."""
    given = json.loads(text)
    from stages.context import Context

    context = Context.from_json(given["context"])
    measure = open_bench(context)
    print(json.dumps({"ready": True}), flush=True)  # from here on silence is that of a cell
    for cell in given["cells"]:
        if context.left <= 0:
            break
        print(json.dumps({"begin": cell}), flush=True)
        started = time.time()
        values = measure(cell)
        print(json.dumps({"cell": cell, "seconds": time.time() - started, **values}), flush=True)
