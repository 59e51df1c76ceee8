"""What the campaign's tests share: a folder each, a context without a GPU, and scripts that play commands."""

import os
import pathlib
import sys
import tempfile
import textwrap
import time
import unittest

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[3]
CAMPAIGN = ROOT / "tools/gpu/campaign"
sys.path[:0] = [str(ROOT / "tools/gpu"), str(ROOT / "tools"), str(ROOT / "tools/gpu/questions")]
from stages.context import Context  # noqa: E402
from stages.journal import read  # noqa: E402

ATTENTUNE = os.environ.get("ATTENTUNE_CLI", str(ROOT / "build/release/bin/attentune"))
FOUND = {"name": "a machine", "gpu": "", "driver": "", "nvrtc": "", "torch": "", "numpy": "", "cpu": "a CPU",
         "cores": 2, "system": "Linux"}


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def context(self, **changes):
        built = {"cli": "none", "library": "", "build": "b1", "version": "attentune 0", "watchdog": True,
                 "host_codegen": True}
        values = {"out": str(self.folder), "dry": False, "device": "gpu:0", "machine": FOUND, "attentune": built,
                  "cases": "", "retry": False, "deadline": time.time() + 100, "build": "b1"}
        return Context(**{**values, **changes})

    def script(self, name, text):
        path = self.folder / name
        path.write_text(f"#!{sys.executable}\n" + textwrap.dedent(text))
        path.chmod(0o755)
        return str(path)

    def outcomes(self):
        return {record["cell"]: record["outcome"] for record in read(self.folder / "records.jsonl")}
