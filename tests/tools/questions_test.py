#!/usr/bin/env python3
"""tools/gpu/questions without a GPU: questions_test.py ATTENTUNE

Lists the peers' cells and, where numpy and NVRTC are, compiles every kernel the questions ask with."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/gpu"))
from stages import machine  # noqa: E402
from stages.journal import read  # noqa: E402

ATTENTUNE = None


class DryRun(unittest.TestCase):
    def test_every_kernel_compiles_and_every_cell_is_listed(self):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([sys.executable, ROOT / "tools/gpu/campaign", "questions", "--dry", "--out", folder,
                                   "--attentune", ATTENTUNE], capture_output=True, text=True, timeout=120)
            records = read(pathlib.Path(folder, "records.jsonl"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        found = machine.find()
        expected = {"peers --dry": "ok", **({"facts --dry": "ok"} if found["numpy"] and found["nvrtc"] else {})}
        self.assertEqual({r["cell"]: r["outcome"] for r in records if r["stage"] == "questions"}, expected)


if __name__ == "__main__":
    ATTENTUNE = str(pathlib.Path(sys.argv[1]).resolve())
    unittest.main(argv=sys.argv[:1])
