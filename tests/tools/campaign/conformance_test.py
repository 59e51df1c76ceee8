"""Cases are read, launched and compared; a wrong bit is found."""

import dataclasses
import json
import shutil
import struct
import unittest

from support import ROOT, Case
from stages import case, conformance, driver, report
from stages.fake_cuda import FakeCuda
from stages.journal import Journal


def floats(*values):
    return struct.pack(f"<{len(values)}f", *values)


class Conformance(Case):
    def buffer(self, expected, **changes):
        return case.Buffer(**{"name": "out", "size": len(expected), "data": b"", "expected": expected, "kind": "f32",
                              "tolerance_ulp": 0, **changes})

    def test_bits_count_unless_a_tolerance_is_stated(self):
        one, next_, infinity, nan = 1.0, 1.0 + 2.0**-23, float("inf"), float("nan")
        self.assertEqual(case.differences(self.buffer(floats(one, 0.0)), floats(next_, -0.0))["wrong"], 2)
        loose = self.buffer(floats(one, 0.0, nan), tolerance_ulp=1)
        self.assertEqual(case.differences(loose, floats(next_, -0.0, -nan))["wrong"], 0)
        self.assertEqual(case.differences(loose, floats(next_, -0.0, 1.0))["wrong"], 1)
        largest = struct.unpack("<f", struct.pack("<I", 0x7F7FFFFF))[0]
        found = case.differences(self.buffer(floats(largest, one), tolerance_ulp=1), floats(infinity, one + 2.0**-22))
        self.assertEqual((found["wrong"], found["first"]["index"]), (2, 0))
        self.assertEqual(case.differences(self.buffer(b"\x01\x02", kind="u8"), b"\x01\x03")["first"],
                         {"index": 1, "want": "0x2", "got": "0x3"})

    def test_a_wrong_byte_is_found_and_counted_for_its_form(self):
        source = ROOT / "tools/gpu/cases"
        given = json.loads((source / "add_f32.json").read_text())
        out = next(each for each in given["arguments"] if each["name"] == "out")
        expected = bytearray.fromhex(out["expected"])
        expected[0] ^= 1
        out["expected"] = expected.hex()
        (self.folder / "cases").mkdir()
        (self.folder / "cases/add_f32.json").write_text(json.dumps(given))
        (self.folder / "cases/add_f32.ptx").write_bytes((source / "add_f32.ptx").read_bytes())
        (self.folder / "cases/broken.json").write_text("{}")
        context = self.context(dry=True, device="host", cases=str(self.folder / "cases"))
        self.assertFalse(conformance.run(context))
        self.assertEqual(sorted(self.outcomes().values()), ["failed", "wrong"])
        report.write(context, ["campaign"])
        self.assertIn("- `add.rn.f32`: 1 of 1 cases", (self.folder / "REPORT.md").read_text())

    def test_what_the_isa_leaves_open_is_reported_and_no_mistake(self):
        source = ROOT / "tools/gpu/cases"
        given = json.loads((source / "add_f32.json").read_text()) | {"informative": "nobody says which"}
        out = next(each for each in given["arguments"] if each["name"] == "out")
        out["expected"] = "ff" + out["expected"][2:]
        (self.folder / "cases").mkdir()
        (self.folder / "cases/add_f32.json").write_text(json.dumps(given))
        (self.folder / "cases/add_f32.ptx").write_bytes((source / "add_f32.ptx").read_bytes())
        context = self.context(dry=True, device="host", cases=str(self.folder / "cases"))
        self.assertTrue(conformance.run(context))
        self.assertEqual(list(self.outcomes().values()), ["ok"])
        report.write(context, ["campaign"])
        text = (self.folder / "REPORT.md").read_text()
        self.assertIn("- `add.rn.f32`: 1 of 1 cases", text)
        self.assertIn("differs: nobody says which", text)

    def test_a_refused_case_of_the_last_call_is_no_difference_either(self):
        for suffix in (".json", ".ptx"):
            shutil.copy((ROOT / "tools/gpu/cases/add_f32").with_suffix(suffix), self.folder)
        context = self.context(dry=True, device="host", cases=str(self.folder))
        cell = f"add_f32@{case.load(self.folder / 'add_f32.json').digest}"
        for outcome, sound in (("refused", True), ("wrong", False)):
            Journal(context, "conformance").write(cell, outcome)
            self.assertEqual(conformance.run(context), sound)

    def test_a_case_that_is_launched_or_judged_otherwise_is_another(self):
        good = case.load(ROOT / "tools/gpu/cases/add_f32.json")
        changes = [{"ptx": b"other"}, {"grid": (2, 1, 1)}, {"block": (64, 1, 1)}, {"cluster": (2, 1, 1)},
                   {"shared_bytes": 64}, {"informative": "open"}, {"arguments": good.arguments[:2]}]
        digests = {dataclasses.replace(good, **change).digest for change in [{}, *changes]}
        self.assertEqual(len(digests), 1 + len(changes))
        self.assertEqual(good.digest, case.load(ROOT / "tools/gpu/cases/add_f32.json").digest)

    def test_malformed_cases_are_named(self):
        good = json.loads((ROOT / "tools/gpu/cases/add_f32.json").read_text())
        (self.folder / "a.ptx").write_text(".version 7.0")
        for change in ({"grid": [1, 1]}, {"block": [0, 1, 1]}, {"arguments": [{"kind": "toast", "name": "a"}]},
                       {"arguments": good["arguments"][:2]}, {"arguments": [{"kind": "scalar", "name": "n"}]},
                       {"arguments": [{"kind": "buffer", "name": "o", "bytes": 3, "expected": "000000", "type": "f32"}]},
                       {"arguments": [{"kind": "buffer", "name": "o", "bytes": 9, "expected": "000000"}]},
                       {"arguments": [{"kind": "buffer", "name": "o", "expected": "000000", "tolerance_ulp": 1}]}):
            (self.folder / "a.json").write_text(json.dumps({**good, **change}))
            with self.assertRaisesRegex(case.CaseError, "a.json"):
                case.load(self.folder / "a.json")

    def test_tensor_maps_and_clusters_reach_the_driver(self):
        class Recorder(FakeCuda):
            def cuLaunchKernelEx(self, config, function, parameters, extra):
                given = config._obj
                self.cluster = tuple(given.attributes[0].cluster) if given.attribute_count else None
                self.map = driver.C.string_at(parameters[0], 128)
                return 0

        cuda = Recorder()
        gpu = driver.Driver(cuda)
        function = gpu.load(b".version 8.0", "conformance_add", 64 * 1024)
        tensor_map = gpu.tensor_map(gpu.buffer(64), "bf16", [8, 4], [16], [8, 2], 32)
        gpu.launch(function, grid=(2, 1, 1), block=(32, 1, 1), cluster=(2, 1, 1), shared_bytes=65536,
                   arguments=[tensor_map])
        self.assertEqual((cuda.cluster, cuda.map), ((2, 1, 1), b"\x02" * 128))

    def test_a_map_states_its_steps_and_what_lies_out_of_bounds(self):
        class Recorder(FakeCuda):
            def cuTensorMapEncodeTiled(self, map_, kind, rank, address, dims, strides, box, steps, *rest):
                self.given = (kind.value, list(steps), [each.value for each in rest])
                return 0

        cuda = Recorder()
        gpu = driver.Driver(cuda)
        gpu.tensor_map(gpu.buffer(64), "f64", [8, 4], [64], [8, 2], 64, [1, 3], True)
        self.assertEqual(cuda.given, (8, [1, 3], [0, 2, 0, 1]))
        gpu.tensor_map(gpu.buffer(64), "u8", [8, 4], [16], [8, 2], 0)
        self.assertEqual(cuda.given, (0, [1, 1], [0, 0, 0, 0]))

    def test_a_buffer_may_be_reached_through_a_map_alone(self):
        class Copier(FakeCuda):
            def cuLaunchKernelEx(self, config, function, parameters, extra):
                out = driver.C.cast(parameters[1], driver.C.POINTER(driver.C.c_uint64)).contents.value
                driver.C.memmove(out, driver.C.string_at(parameters[0], 4), 4)
                return 0

        hidden = self.buffer(b"\0" * 64, name="k", kind="u8", parameter=False)
        hidden.expected = None
        given = case.Case(name="map", form="f", ptx=b".version 8.0", entry="conformance_add", arch="sm_90a",
                          grid=(1, 1, 1), block=(1, 1, 1), cluster=(1, 1, 1), shared_bytes=0,
                          arguments=[hidden, case.TensorMap("m", "k", "u8", [8, 8], [8], [8, 4], 0),
                                     self.buffer(b"\x02" * 4, kind="u8")])
        self.assertEqual(conformance.compare(driver.Driver(Copier()), given)["outcome"], "ok")

    def test_ptx_that_the_driver_refuses_is_no_difference(self):
        good = case.load(ROOT / "tools/gpu/cases/add_f32.json")
        good.ptx = b"no PTX"
        found = conformance.compare(driver.Driver(FakeCuda()), good)
        self.assertEqual(found["outcome"], "refused")
        self.assertIn("CUDA_ERROR", found["reason"])


if __name__ == "__main__":
    unittest.main()
