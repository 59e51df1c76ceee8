"""The questions without a GPU: rows that come and go, and every kernel they ask with compiles."""

import json
import os
import subprocess
import sys
import unittest

from support import ATTENTUNE, CAMPAIGN, Case, read
import peers
from stages import machine, questions


class Questions(Case):
    def test_rows_are_gathered_and_spread_again(self):
        context = self.context()
        folder = questions.working_folder(context)
        folder.mkdir()
        (folder / "micro.jsonl").write_text('{"q": "alu"}\n{"q": "cut')
        (folder / "report.txt").write_text("a table\n")
        questions.gather(context)
        self.assertFalse(folder.exists())
        questions.spread(context, folder)
        self.assertEqual((folder / "micro.jsonl").read_text(), '{"q":"alu"}\n')
        self.assertEqual((folder / "report.txt").read_text(), "a table\n")

    def test_a_stage_that_ended_well_is_not_run_again(self):
        context = self.context()
        folder = questions.working_folder(context)
        folder.mkdir()
        done = ("facts", *(f"micro {part}" for part in ("info", "wgmma", "alu", "lat", "tma", "mix", "fp8acc", "host",
                                                        "sustained")))
        (folder / "stages.jsonl").write_text(
            "".join(f'{{"q":"stage","name":"{name}","rc":0,"seconds":1}}\n' for name in done))
        questions.gather(context)
        questions.spread(context, folder)
        self.script("nvcc", "import os, sys; open(sys.argv[-1], 'w').write('#!/bin/sh\\n'); os.chmod(sys.argv[-1], 0o755)")
        path = f"{self.folder}:{os.environ['PATH']}"
        ran = subprocess.run(["bash", questions.SCRIPTS / "run_all.sh", folder, "0.5"], capture_output=True, text=True,
                             env=dict(os.environ, PATH=path, PYTHON="true"), timeout=60)
        self.assertNotIn("==", ran.stdout)

    def test_what_is_left_is_told_from_what_failed(self):
        def judged(*rows):
            (self.folder / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
            return questions._judge(self.context())[0]

        micro = {"file": "stages.jsonl", "q": "stage", "name": "micro alu", "rc": 0}
        peers = {"file": "stages.jsonl", "q": "stage", "name": "peers", "rc": 0}
        begun, stopped = ({"file": "peers.jsonl", "q": q} for q in ("peer_env", "peer_stop"))
        self.assertEqual(judged(micro, peers, begun, stopped), "unfinished")
        self.assertEqual(judged(micro, peers, begun, stopped, begun), "ok")
        self.assertEqual(judged(peers, begun), "failed")
        self.assertEqual(judged(micro, {**peers, "rc": "no time left"}), "unfinished")
        self.assertEqual(judged(micro, {**peers, "name": "facts", "rc": 124}, peers, begun), "failed")

    def test_the_peers_know_what_they_have_done(self):
        grid = peers.grid()
        path = self.folder / "peers.jsonl"
        path.write_text("".join(json.dumps({"q": "peer", **cell, "ms": 1.0}) + "\n" for cell in grid[:8]) + "{cut")
        before = peers.finished(path)
        left = [cell for cell in grid if json.dumps(cell, sort_keys=True) not in before]
        self.assertEqual(left, grid[8:])


class DryRun(Case):
    def test_every_kernel_compiles_and_every_cell_is_listed(self):
        done = subprocess.run([sys.executable, CAMPAIGN, "questions", "--dry", "--out", self.folder, "--attentune",
                               ATTENTUNE], capture_output=True, text=True, timeout=120)
        records = read(self.folder / "records.jsonl")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        found = machine.find()
        expected = {"peers --dry": "ok", **({"facts --dry": "ok"} if found["numpy"] and found["nvrtc"] else {})}
        self.assertEqual({r["cell"]: r["outcome"] for r in records if r["stage"] == "questions"}, expected)


if __name__ == "__main__":
    unittest.main()
