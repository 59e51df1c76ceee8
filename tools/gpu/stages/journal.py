"""records.jsonl: one JSON object a finished cell, appended and flushed at once, never rewritten.

A record is {"stage", "cell", "outcome", ...what the stage measured..., "seconds", "command", "build", "device",
"machine", "driver", "clocks", "date"}. outcome: ok, wrong, failed, refused, crashed, timed_out, skipped, or
unfinished: time was up and the next run goes on."""

import datetime
import json
import time

from stages import machine

CLOCKS_SECONDS = 2  # how old clocks may be: asking costs a process, and some stages end hundreds of cells a minute


def read(path):
    """Every readable record; the line that a kill cut short is left out."""
    records = []
    if path.exists():
        for line in path.read_text(errors="replace").splitlines():
            try:
                records.append(json.loads(line))
            except ValueError:
                continue
    return records


class Journal:
    def __init__(self, context, stage):
        self.context = context
        self.stage = stage
        self.path = context.records_path
        self._clocks, self._asked = None, float("-inf")
        self._cut_short = self.path.exists() and not self.path.read_bytes().endswith(b"\n")
        self._finished = {record["cell"]: record for record in read(self.path) if self._counts(record)}

    def _counts(self, record):
        """Is this a cell of ours that need not run again? What a skip was for may have changed since."""
        if record.get("stage") != self.stage or record.get("device") != self.context.device:
            return False
        if record.get("build") != self.context.build or record.get("outcome") in ("skipped", "unfinished"):
            return False
        return record["outcome"] == "ok" or not self.context.retry

    def finished(self, cell):
        return self._finished.get(cell)

    def write(self, cell, outcome, *, command="", seconds=None, **values):
        found = self.context.machine
        if time.monotonic() - self._asked >= CLOCKS_SECONDS:
            self._clocks, self._asked = machine.clocks(found), time.monotonic()
        record = {"stage": self.stage, "cell": cell, "outcome": outcome, **values,
                  "seconds": None if seconds is None else round(seconds, 3), "command": command,
                  "build": self.context.build, "device": self.context.device, "machine": found["name"],
                  "driver": found["driver"], "clocks": self._clocks,
                  "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")}
        with open(self.path, "a") as file:
            file.write(("\n" if self._cut_short else "") + json.dumps(record) + "\n")
        self._cut_short = False
        self._finished[cell] = record
        return record
