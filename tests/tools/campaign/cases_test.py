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
MOST_BYTES = 4500 * 1024
# What the simulator executes and no case does.
WITHOUT_A_CASE = {"trap": "ends the launch with an error, after which the context is lost",
                  "brkpt": "stops the kernel for a debugger, and without one ends it as trap does"}
# What attentune's own kernels are made of stands in cases too, modifier by modifier.
KERNELS = ["--arch sm_90a dtype=bf16 heads=8/2 head_dim=128 seq=1024 mask=causal()",
           "--arch sm_90a dtype=f16 heads=8 head_dim=192/128 seq=1024 score=softcap(30)",
           "--arch sm_90a dtype=bf16 heads=8/2 head_dim=128 seq=1/9000",
           "--arch sm_80 dtype=bf16 heads=8/2 head_dim=64 seq=1024 mask=window(127,0)",
           "--arch sm_80 dtype=f16 heads=8/2 head_dim=96 seq=1/9000"]
OPCODES = re.compile(r"^\s*(?:@!?%\w+\s+)?([a-z]\w*(?:[.:]+\w+)*)(?=\s|;)", re.MULTILINE)


class Cases(Case):
    def test_the_generator_writes_these_files(self):
        subprocess.run([sys.executable, CASES / "generate", "--out", self.folder, "--run-ptx", RUN_PTX], check=True)
        written = {path.name: path.read_text() for path in self.folder.iterdir()}
        committed = {path.name: path.read_text() for path in CASES.iterdir()
                     if path.suffix and path.stem not in BY_HAND}
        self.assertEqual(sorted(written), sorted(committed))
        self.assertEqual([name for name in written if written[name] != committed[name]], [])
        self.assertLess(sum(map(len, written.values())), MOST_BYTES)

    def test_a_simulator_that_computes_something_else_writes_nothing(self):
        other = self.script("run_ptx", """
            import pathlib, sys
            if "--forms" not in sys.argv:
                pathlib.Path(__file__).with_name("calls").open("a").write(" ".join(sys.argv[2:]) + "\\n")
                sys.exit("out differs")""")
        done = subprocess.run([sys.executable, CASES / "generate", "--out", self.folder / "cases", "--run-ptx", other],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("the simulator computes something else", done.stderr)
        self.assertNotIn("--write-expected", (self.folder / "calls").read_text())

    def test_every_form_of_the_simulator_stands_in_a_kernel(self):
        done = subprocess.run([RUN_PTX, "--forms"], check=True, capture_output=True, text=True)
        opcodes, mnemonics = set(), set()
        for line in done.stdout.splitlines():
            opcode, *bits = line.split()
            (opcodes if bits else mnemonics).add(opcode)
        self.assertGreater(len(opcodes), 900)
        used = {opcode for path in CASES.glob("*.ptx") for opcode in OPCODES.findall(path.read_text())}
        self.assertEqual(sorted(opcodes - used), [])
        self.assertEqual(sorted(mnemonics - {opcode.split(".")[0] for opcode in used}), sorted(WITHOUT_A_CASE))

    def test_every_instruction_of_our_kernels_stands_in_a_case(self):
        def opcodes(text):
            # The cases have a few N of the many.
            return {re.sub(r"m64n\d+", "m64n*", opcode) for opcode in OPCODES.findall(text)}

        used = opcodes("".join(path.read_text() for path in CASES.glob("*.ptx")))
        for problem in KERNELS:
            done = subprocess.run([ATTENTUNE, "compile", *problem.split(), "--assembly"], capture_output=True, text=True)
            if done.returncode and "NVRTC" in done.stderr:
                self.skipTest("there is no NVRTC")
            self.assertEqual(done.returncode, 0, done.stderr)
            found = opcodes(done.stdout)
            self.assertGreater(len(found), 50)
            self.assertEqual(sorted(found - used), [], problem)

    def test_the_simulator_gives_the_expected_bytes_and_notices_others(self):
        files = sorted(CASES.glob("*.json"))
        for mode in (["--asynchrony", "lazy"], ["--asynchrony", "eager"], ["--strict", "--seed", "7"]):
            done = subprocess.run([RUN_PTX, *files, *mode], capture_output=True, text=True)
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
        self.assertGreater(len(forms), 700)
        self.assertEqual([form for form, count in forms.items() if count > 1], [])

    @unittest.skipUnless(shutil.which("ptxas"), "there is no ptxas")
    def test_the_kernels_assemble(self):
        # One text a target and version: starting the assembler costs more than its work.
        texts = collections.defaultdict(list)
        for number, path in enumerate(sorted(CASES.glob("*.ptx"))):
            text = path.read_text()
            head, body = text.split(".visible .entry ", 1)
            head = "\n".join(line for line in head.splitlines() if not line.startswith("//"))
            texts[head].append(".visible .entry " + body.replace("(", f"_{number}(", 1))
        for number, (head, bodies) in enumerate(texts.items()):
            whole = self.folder / f"{number}.ptx"
            whole.write_text(head + "\n" + "\n".join(bodies))
            arch = re.search(r"\.target (\w+)", head)[1]
            done = subprocess.run(["ptxas", f"-arch={arch}", "-o", "/dev/null", whole], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""), head)


if __name__ == "__main__":
    unittest.main()
