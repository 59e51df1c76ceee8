"""The committed conformance cases are those the generator writes and the simulator computes, and they assemble."""

import collections
import json
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

from support import ATTENTUNE, ROOT, Case
from stages import case

CASES = ROOT / "tools/gpu/cases"
RUN_PTX = pathlib.Path(ATTENTUNE).with_name("run_ptx")
BY_HAND = {"add_f32", "dry_ex2"}
MOST_BYTES = 300 * 1024


class Cases(Case):
    def test_the_generator_writes_these_files(self):
        subprocess.run([sys.executable, CASES / "generate", "--out", self.folder, "--run-ptx", RUN_PTX], check=True)
        written = {path.name: path.read_text() for path in self.folder.iterdir()}
        committed = {path.name: path.read_text() for path in CASES.iterdir()
                     if path.suffix and path.stem not in BY_HAND}
        self.assertEqual(sorted(written), sorted(committed))
        self.assertEqual([name for name in written if written[name] != committed[name]], [])
        self.assertLess(sum(map(len, written.values())), MOST_BYTES)

    def test_the_simulator_gives_the_expected_bytes_and_notices_others(self):
        files = sorted(CASES.glob("*.json"))
        for mode in ("lazy", "eager"):
            done = subprocess.run([RUN_PTX, *files, "--asynchrony", mode], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        given = json.loads((CASES / "add_f32.json").read_text())
        given["arguments"][2]["expected"] = "ff" + given["arguments"][2]["expected"][2:]
        (self.folder / "add_f32.json").write_text(json.dumps(given))
        shutil.copy(CASES / "add_f32.ptx", self.folder)
        done = subprocess.run([RUN_PTX, self.folder / "add_f32.json"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("out differs from what is expected, first in byte 0", done.stdout)

    def test_every_case_is_readable_and_no_form_stands_twice(self):
        forms = collections.Counter(case.load(path).form for path in CASES.glob("*.json")
                                    if path.stem not in BY_HAND)
        self.assertGreater(len(forms), 150)
        self.assertEqual([form for form, count in forms.items() if count > 1], [])

    @unittest.skipUnless(shutil.which("ptxas"), "there is no ptxas")
    def test_the_kernels_assemble(self):
        # One text a target: starting the assembler costs more than its work.
        texts = collections.defaultdict(list)
        for number, path in enumerate(sorted(CASES.glob("*.ptx"))):
            text = path.read_text()
            arch = re.search(r"^\.target (\w+)", text, re.MULTILINE)[1]
            body = text[text.index(".visible .entry"):]
            texts[arch].append(re.sub(r"\.entry (\w+)", rf".entry \1_{number}", body))
        for arch, bodies in texts.items():
            whole = self.folder / f"{arch}.ptx"
            whole.write_text(f".version 8.4\n.target {arch}\n.address_size 64\n" + "\n".join(bodies))
            done = subprocess.run(["ptxas", f"-arch={arch}", "-o", "/dev/null", whole], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
