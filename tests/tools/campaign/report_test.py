"""What people read, and what is carried to another machine."""

import shutil
import subprocess
import sys
import tarfile
import unittest

from support import FOUND, ROOT, Case
from stages import machine, report
from stages.journal import Journal


class Report(Case):
    def test_losses_and_failures_are_named(self):
        context = self.context()
        times = {"attentune": {"ms": 2.0, "tflops": 100.0}, "cudnn": {"ms": 1.0, "tflops": 200.0}}
        kernel = {"trust": "verified_here", "provenance": "exact_bucket", "config": "tile=1"}
        bench = Journal(context, "bench")
        bench.write("slow", "ok", times=times, ratio=0.5, best_peer="cudnn", error=0.5, kernel=kernel)
        bench.write("fast", "ok", times=times, ratio=1.5, best_peer="cudnn", error=0.5, kernel=kernel)
        Journal(context, "verify").write("v", "timed_out", reason="killed", reproduce=["attentune verify v"])
        report.write(context, ["campaign"])
        text = (self.folder / "REPORT.md").read_text()
        self.assertIn("| slow | 2 | 100 | 1 | 0.50 | 0.50 | verified_here, exact_bucket |", text)
        self.assertIn("- slow: 0.50x of cudnn (tile=1)", text)
        self.assertNotIn("- fast", text)
        self.assertIn("  - `attentune verify v`", text)

    def test_the_first_line_says_what_is_missing(self):
        line = machine.first_line({**FOUND, "torch": "2.11"}, {"version": "", "library": ""})
        self.assertEqual(line, "found: torch 2.11; missing: GPU, driver, NVRTC, numpy, attentune, libattentune.so")


class Pack(Case):
    def test_all_that_the_other_machine_needs_is_in_one_file(self):
        for path in ("build/bin/attentune", "build/lib/libattentune.so"):
            (self.folder / path).parent.mkdir(parents=True)
            shutil.copy2("/bin/true", self.folder / path)
        tar = self.folder / "out.tar"
        pack = [sys.executable, ROOT / "tools/gpu/pack", tar, "--no-micro", "--build"]
        done = subprocess.run([*pack, self.folder / "build"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        with tarfile.open(tar) as packed:
            names = packed.getnames()
        for name in ("bin/attentune", "lib/libattentune.so", "tools/attentune_ctypes.py", "tools/gpu/campaign",
                     "tools/gpu/stages/bench.py", "tools/gpu/questions/micro.cu", "tools/gpu/cases/add_f32.ptx"):
            self.assertIn("attentune/" + name, names)
        missing = subprocess.run([*pack, self.folder], capture_output=True, text=True)
        self.assertEqual(missing.returncode, 1)
        self.assertIn("HOST_CODEGEN=OFF", missing.stderr)


if __name__ == "__main__":
    unittest.main()
