"""A dry run from end to end: resumed, interrupted, and refused without a GPU."""

import importlib.util
import json
import signal
import subprocess
import sys
import unittest

from support import ATTENTUNE, CAMPAIGN, Case, read

HAS_TORCH = importlib.util.find_spec("torch") is not None


class DryRun(Case):
    def run_campaign(self, *words):
        return subprocess.run([sys.executable, CAMPAIGN, "--out", self.folder, "--attentune", ATTENTUNE, *words],
                              capture_output=True, text=True, timeout=120)

    def test_every_stage_ends_well_and_nothing_is_done_twice(self):
        self.folder.chmod(0o777)  # results may stand where everybody writes; the Store may not
        stages = ("conformance", "verify", "tune", "bench")  # questions_test.py has the other one
        first = self.run_campaign("--dry", *stages)
        self.assertEqual(first.returncode, 0, first.stdout + first.stderr)
        self.assertTrue(first.stdout.startswith("found: "), first.stdout)
        self.assertIn("missing: GPU, driver", first.stdout.splitlines()[0])
        records = read(self.folder / "records.jsonl")
        for record in records:
            for field in ("machine", "driver", "clocks", "date", "command", "build", "device", "seconds"):
                self.assertIn(field, record)
        self.assertEqual({r["cell"]: r["outcome"] for r in records if r["stage"] == "campaign"},
                         {"conformance": "ok", "verify": "ok", "tune": "ok",
                          "bench": "ok" if HAS_TORCH else "skipped"})
        self.assertTrue(all(r["outcome"] in ("ok", "skipped") for r in records))
        self.assertEqual({json.loads(line)["event"] for line in (self.folder / "winners.jsonl").read_text().splitlines()},
                         {"winner", "measurement"})
        self.assertEqual("| attentune ms |" in (self.folder / "REPORT.md").read_text(), HAS_TORCH)
        names = [path.name for path in self.folder.rglob("*")]
        self.assertLessEqual(len(names), 8, names)

        again = self.run_campaign("--dry", *stages)
        self.assertEqual(again.returncode, 0, again.stderr)
        done = [r for r in records if r["outcome"] == "ok" and r["stage"] not in ("campaign", "machine")]
        added = read(self.folder / "records.jsonl")[len(records):]
        self.assertFalse({(r["stage"], r["cell"]) for r in done} & {(r["stage"], r["cell"]) for r in added})

    def test_an_interrupt_keeps_what_is_done(self):
        running = subprocess.Popen([sys.executable, CAMPAIGN, "verify", "--dry", "--out", self.folder, "--attentune",
                                    ATTENTUNE], stdout=subprocess.PIPE, text=True)
        for line in running.stdout:
            if line.startswith("[verify 1/"):
                running.send_signal(signal.SIGINT)
        self.assertEqual(running.wait(30), 130)
        running.stdout.close()
        outcomes = self.outcomes()
        self.assertEqual(outcomes["verify"], "interrupted")
        self.assertIn("ok", [outcome for cell, outcome in outcomes.items() if cell.startswith("watchdog: ")])
        self.assertIn("verify: interrupted", (self.folder / "REPORT.md").read_text())

    def test_without_a_gpu_it_says_what_would_work(self):
        done = self.run_campaign("verify")
        if "missing: GPU" in done.stdout.splitlines()[0]:
            self.assertEqual(done.returncode, 1)
            self.assertIn("--dry", done.stderr)


if __name__ == "__main__":
    unittest.main()
