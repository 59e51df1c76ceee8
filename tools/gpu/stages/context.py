"""Everything a stage needs to know, as one value that travels to its process as JSON."""

import json
import pathlib
import time
from dataclasses import asdict, dataclass


@dataclass
class Context:
    out: str
    dry: bool
    device: str  # "gpu:0" or "host", as the command calls it
    machine: dict  # machine.find()
    attentune: dict  # machine.find_attentune()
    cases: str  # folder of conformance cases
    retry: bool  # repeat finished cells that did not end well
    deadline: float = 0.0  # time.time() at which the stage should have ended
    build: str = ""  # of attentune where a stage depends on it; finished cells of another build are run again

    @staticmethod
    def from_json(text):
        return Context(**json.loads(text))

    def to_json(self):
        return json.dumps(asdict(self))

    @property
    def folder(self):
        return pathlib.Path(self.out)

    @property
    def records_path(self):
        return self.folder / "records.jsonl"

    @property
    def store_path(self):
        # In a folder of its own, which attentune makes: it opens no Store where other users may write.
        return self.folder / "store/store.db"

    @property
    def left(self):
        return self.deadline - time.time()


class Skip(Exception):
    """The stage cannot run here; the text says why."""
