"""Hangs are ended, the rest goes on, and nothing finished is lost or repeated."""

import os
import subprocess
import sys
import unittest
from unittest import mock

from support import Case, read
from stages import process, workers
from stages.journal import Journal


class Processes(Case):
    def test_a_hang_is_killed_with_all_it_started(self):
        # The grandchild leaves the process group, as `timeout` does. It sleeps as long as no other process does.
        nap = f"100.{os.getpid()}"
        command = self.script("hang", f"""
            import subprocess, time
            subprocess.Popen(["sleep", "{nap}"], process_group=0) if {sys.version_info >= (3, 11)} else None
            print("begun", flush=True)
            time.sleep(100)
            """)
        lines = []
        ended = process.run([command], timeout=100, silence=0.5, on_line=lines.append)
        self.assertEqual((lines, ended.outcome, ended.killed), (["begun"], "timed_out", "silence"))
        self.assertLess(ended.seconds, 20)
        children = subprocess.run(["pgrep", "-f", f"^sleep {nap}$"], capture_output=True, text=True).stdout
        self.assertEqual(children, "")

    def test_time_ends_what_is_not_silent(self):
        ended = process.run([self.script("talk", "while True: print('more', flush=True)")], timeout=0.5)
        self.assertEqual(ended.outcome, "timed_out")
        self.assertTrue(ended.out_of_time)

    def test_the_end_of_the_log_is_kept(self):
        ended = process.run([self.script("fail", "import sys; sys.exit('x' * 9000 + 'the reason')")], timeout=20)
        self.assertEqual((ended.rc, ended.outcome), (1, "failed"))
        self.assertTrue(ended.err.endswith("the reason\n"))
        crash = process.run([self.script("crash", "import os; os.kill(os.getpid(), 11)")], timeout=20)
        self.assertEqual(crash.outcome, "crashed")

    def test_a_worker_that_dies_or_hangs_costs_one_cell(self):
        worker = self.script("worker", """
            import json, os, sys, time
            for cell in json.load(sys.stdin)["cells"]:
                print(json.dumps({"begin": cell}), flush=True)
                if cell == "dies": os.kill(os.getpid(), 9)
                if cell == "hangs": time.sleep(100)
                print(json.dumps({"cell": cell, "outcome": "ok"}), flush=True)
            """)
        found = {}
        with mock.patch.object(workers, "CAMPAIGN", worker):
            workers.run_cells(self.context(), "any", ["a", "dies", "b", "hangs", "c"], silence=2,
                              on_result=lambda cell, values: found.update({cell: values["outcome"]}))
        self.assertEqual(found, {"a": "ok", "dies": "crashed", "b": "ok", "hangs": "timed_out", "c": "ok"})

    def test_a_worker_that_only_dies_does_not_eat_the_time(self):
        worker = self.script("dying", """
            import json, sys
            print(json.dumps({"begin": json.load(sys.stdin)["cells"][0]}), flush=True)
            sys.exit("no such function")
            """)
        found = []
        with mock.patch.object(workers, "CAMPAIGN", worker):
            with self.assertRaisesRegex(RuntimeError, "no such function"):
                workers.run_cells(self.context(), "any", list("abcdefgh"), silence=5,
                                  on_result=lambda cell, values: found.append(values["outcome"]))
        self.assertEqual(found, ["failed"] * workers.MOST_DEATHS)

    def test_a_worker_that_never_starts_is_an_error(self):
        with mock.patch.object(workers, "CAMPAIGN", self.script("broken", "import nothing_of_that_name")):
            with self.assertRaisesRegex(RuntimeError, "never comes through"):
                workers.run_cells(self.context(), "any", ["a"], silence=5, on_result=lambda cell, values: None)


class Journals(Case):
    def test_finished_cells_are_known_again_and_those_of_another_build_are_not(self):
        Journal(self.context(), "verify").write("a", "ok")
        Journal(self.context(), "verify").write("b", "wrong")
        self.assertTrue(Journal(self.context(), "verify").finished("a"))
        self.assertTrue(Journal(self.context(), "verify").finished("b"))
        self.assertFalse(Journal(self.context(), "tune").finished("a"))
        self.assertFalse(Journal(self.context(build="b2"), "verify").finished("a"))
        self.assertFalse(Journal(self.context(device="host"), "verify").finished("a"))
        self.assertFalse(Journal(self.context(retry=True), "verify").finished("b"))

    def test_a_line_cut_short_costs_itself_alone(self):
        Journal(self.context(), "verify").write("a", "ok")
        with open(self.folder / "records.jsonl", "a") as file:
            file.write('{"stage": "verify", "ce')
        Journal(self.context(), "verify").write("b", "ok")
        self.assertEqual([record["cell"] for record in read(self.folder / "records.jsonl")], ["a", "b"])


if __name__ == "__main__":
    unittest.main()
