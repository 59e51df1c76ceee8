#!/usr/bin/env python3
"""tools/attentune_ctypes.py against the header and the library it stands for.

  attentune_ctypes_test.py LIBATTENTUNE [C_COMPILER]

Sizes and offsets come from the header through the compiler; without one that part is skipped, by name.
"""
import array
import ctypes
import math
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tools"))
import attentune_ctypes as attentune  # noqa: E402

HEADER = ROOT / "tuner/abi/attentune.h"
LIBRARY = COMPILER = None


def expected_layout():
    """One line a fact, as the C program below prints them."""
    lines = []
    for name, struct in attentune.STRUCTS.items():
        lines.append(f"{name} {ctypes.sizeof(struct)}")
        lines += [f"{name}.{field} {getattr(struct, field).offset} {getattr(struct, field).size}"
                  for field, *_ in struct._fields_]
    lines += [f"ATTENTUNE_{name} {value}" for value, name in enumerate(attentune.STATUS)]
    lines += [f"ATTENTUNE_POLICY_{name.upper()} {value}" for name, value in attentune.POLICY.items()]
    return lines


def layout_program():
    prints = []
    for name, struct in attentune.STRUCTS.items():
        prints.append(f'printf("{name} %zu\\n", sizeof({name}));')
        prints += [f'printf("{name}.{field} %zu %zu\\n", offsetof({name}, {field}), sizeof((({name}*)0)->{field}));'
                   for field, *_ in struct._fields_]
    names = [f"ATTENTUNE_{name}" for name in attentune.STATUS]
    names += [f"ATTENTUNE_POLICY_{name.upper()}" for name in attentune.POLICY]
    prints += [f'printf("{name} %d\\n", (int){name});' for name in names]
    return "\n".join(['#include <stdio.h>', '#include "attentune.h"', "int main(void) {", *prints, "return 0; }", ""])


class Header(unittest.TestCase):
    def test_every_function_is_bound(self):
        declared = re.findall(r"ATTENTUNE_API\s+[\w\s*]*?\b(attentune_\w+)\(([^)]*)\)", HEADER.read_text())
        counts = {name: 0 if parameters == "void" else parameters.count(",") + 1 for name, parameters in declared}
        self.assertEqual(counts, {name: len(takes) for name, (_, takes) in attentune.FUNCTIONS.items()})

    def test_every_status_and_struct_is_known(self):
        text = HEADER.read_text()
        statuses = re.search(r"enum attentune_status.*?\{(.*?)\}", text, re.S).group(1)
        self.assertEqual(len(re.findall(r"ATTENTUNE_\w+ = ", statuses)), len(attentune.STATUS))
        structs = re.findall(r"typedef struct (\w+) \{", text)
        self.assertEqual(sorted(structs), sorted(attentune.STRUCTS))

    def test_layout(self):
        if not COMPILER or not shutil.which(COMPILER):
            self.skipTest("no C compiler was named")
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder, "layout.c")
            source.write_text(layout_program())
            program = source.with_suffix("")
            subprocess.run([COMPILER, f"-I{HEADER.parent}", str(source), "-o", str(program)], check=True)
            printed = subprocess.run([program], check=True, capture_output=True, text=True).stdout
        self.assertEqual(printed.splitlines(), expected_layout())


class Calls(unittest.TestCase):
    def setUp(self):
        self.abi = attentune.Interface(LIBRARY)

    def test_version_is_the_header_s(self):
        numbers = re.findall(r"#define ATTENTUNE_VERSION_\w+ (\d+)", HEADER.read_text())
        self.assertEqual(self.abi.version, ".".join(numbers))

    def test_a_problem_reads_back_as_canonical_text(self):
        with self.abi.problem("seq=5 head_dim=16 heads=1 dtype=f32") as problem:
            problem.set_sizes(2, 3, 7)
            self.assertEqual(str(problem), "dtype=f32 batch=2 heads=1 head_dim=16 seq=3/7")

    def test_refusals_raise_with_the_sentence(self):
        with self.assertRaises(attentune.AttentuneError) as raised:
            self.abi.problem("dtype=f33 heads=1 head_dim=16 seq=5")
        self.assertEqual(raised.exception.status, "REFUSED")
        self.assertIn("f33", str(raised.exception))

    def test_one_key_gives_its_value_back(self):
        # With one key the softmax is 1: the output is V and the LSE is the score itself.
        dim = 16
        q, k, v = (array.array("f", [base + 0.25 * i for i in range(dim)]) for base in (0.5, -1.0, 3.0))
        out, lse = array.array("f", [math.nan] * dim), array.array("f", [math.nan])
        address = {name: values.buffer_info()[0]
                   for name, values in (("q", q), ("k", k), ("v", v), ("out", out), ("lse", lse))}
        with self.abi.runtime(device="host", store="", threads=1) as runtime, \
                self.abi.problem(f"dtype=f32 heads=1 head_dim={dim} seq=1 outputs=out,lse") as problem, \
                runtime.kernel(problem) as kernel:
            self.assertEqual(kernel.describe()["family"], "forward_host")
            with kernel.bind(problem, **address) as binding:
                binding.launch()
            self.assertEqual(out, v)
            self.assertAlmostEqual(lse[0], sum(a * b for a, b in zip(q, k)) / 4, places=4)
            strided = dict(address, out=(address["out"], (dim, dim, dim)))
            out[:] = array.array("f", [math.nan] * dim)
            runtime.run(problem, **strided)
            self.assertEqual(out, v)


if __name__ == "__main__":
    LIBRARY = sys.argv[1]
    COMPILER = sys.argv[2] if len(sys.argv) > 2 else None
    unittest.main(argv=sys.argv[:1])
