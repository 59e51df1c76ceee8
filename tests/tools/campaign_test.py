#!/usr/bin/env python3
"""tools/gpu/campaign without a GPU: campaign_test.py ATTENTUNE

A dry run from end to end, and what must hold on the day: hangs are ended, the rest goes on, nothing finished is lost or
repeated, and a wrong result is never called right."""
import importlib.util
import json
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
import tarfile
import tempfile
import textwrap
import time
import unittest
from unittest import mock

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
CAMPAIGN = ROOT / "tools/gpu/campaign"
sys.path[:0] = [str(ROOT / "tools/gpu"), str(ROOT / "tools"), str(ROOT / "tools/gpu/questions")]
from stages import case, cells, conformance, driver, machine, process, questions, report, tune, verify, workers  # noqa: E402
from stages.context import Context  # noqa: E402
from stages.fake_cuda import FakeCuda  # noqa: E402
from stages.journal import Journal, read  # noqa: E402

ATTENTUNE = None
HAS_TORCH = importlib.util.find_spec("torch") is not None
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


class DryRun(Case):
    def run_campaign(self, *words):
        return subprocess.run([sys.executable, CAMPAIGN, "--out", self.folder, "--attentune", ATTENTUNE, *words],
                              capture_output=True, text=True, timeout=120)

    def test_every_stage_ends_well_and_nothing_is_done_twice(self):
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
        self.assertIn("ok", [outcome for cell, outcome in outcomes.items() if cell.startswith("default: ")])
        self.assertIn("verify: interrupted", (self.folder / "REPORT.md").read_text())

    def test_without_a_gpu_it_says_what_would_work(self):
        done = self.run_campaign("verify")
        if "missing: GPU" in done.stdout.splitlines()[0]:
            self.assertEqual(done.returncode, 1)
            self.assertIn("--dry", done.stderr)


class Processes(Case):
    def test_a_hang_is_killed_with_all_it_started(self):
        # The grandchild leaves the process group, as `timeout` does.
        command = self.script("hang", f"""
            import subprocess, time
            subprocess.Popen(["sleep", "100"], process_group=0) if {sys.version_info >= (3, 11)} else None
            print("begun", flush=True)
            time.sleep(100)
            """)
        lines = []
        ended = process.run([command], timeout=100, silence=0.5, on_line=lines.append)
        self.assertEqual((lines, ended.outcome, ended.killed), (["begun"], "timed_out", "silence"))
        self.assertLess(ended.seconds, 20)
        children = subprocess.run(["pgrep", "-f", "^sleep 100$"], capture_output=True, text=True).stdout
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


FAKE_CLI = """
    import json, os, sys, time
    words = sys.argv[1:]
    def show(**values): print(json.dumps(values), flush=True)
    if words[0] == "problems":
        for line in ("dtype=f32 good", "dtype=bf16 refused", "dtype=bf16 wrong", "dtype=bf16 hangs", "dtype=bf16 dies"):
            show(event="problem", problem=line)
        sys.exit(0)
    line, what = words[1], words[1].split()[-1]
    if what == "refused": os._exit(2)
    if what == "hangs": time.sleep(100)
    if what == "dies": os.kill(os.getpid(), 11)
    print("not JSON")
    show(event="result", problem=line, config="tile=1 | split=2", error=0.5)
    if what == "wrong":
        sys.exit(f"attentune: {line} with config 'tile=1 | split=2' is wrong: too far off; report it with this line")
    """


class Verify(Case):
    def test_each_kernel_fails_alone_and_says_how_to_see_it_again(self):
        context = self.context()
        context.attentune["cli"] = self.script("attentune", FAKE_CLI)
        with mock.patch.object(verify, "CELL_SECONDS", 1):
            self.assertFalse(verify.run(context))
        expected = {"f16 good": "ok", "bf16 good": "ok", "bf16 refused": "refused", "bf16 wrong": "wrong",
                    "bf16 hangs": "timed_out", "bf16 dies": "crashed"}
        outcomes = self.outcomes()
        for line, outcome in expected.items():
            self.assertEqual(outcomes[f"watchdog: dtype={line}"], outcome)
            later = "skipped" if outcome in ("timed_out", "crashed") else outcome
            self.assertEqual(outcomes[f"default: dtype={line}"], later)
        wrong = next(r for r in read(self.folder / "records.jsonl") if r["outcome"] == "wrong")
        self.assertEqual(wrong["reproduce"],
                         ["attentune verify 'dtype=bf16 wrong' --device gpu:0 --config 'tile=1 | split=2'"])
        self.assertIn("--watchdog", wrong["command"])

        count = len(read(self.folder / "records.jsonl"))
        self.assertFalse(verify.run(context))  # known to be bad, and nothing but the skipped is asked again
        added = read(self.folder / "records.jsonl")[count:]
        self.assertEqual({record["outcome"] for record in added}, {"skipped"})

    def test_the_end_of_the_stage_is_no_fault_of_a_kernel(self):
        context = self.context(deadline=time.time() + 0.5)
        context.attentune["cli"] = self.script("attentune", FAKE_CLI)
        with mock.patch.object(verify, "covering_list", lambda _: ["dtype=bf16 hangs"]), \
                mock.patch.object(verify, "LEAST_SECONDS", 0.4):
            self.assertTrue(verify.run(context))
        self.assertEqual(self.outcomes()["watchdog: dtype=bf16 hangs"], "unfinished")

    def test_an_attentune_without_watchdog_is_named_in_the_records(self):
        context = self.context()
        context.attentune |= {"cli": self.script("attentune", FAKE_CLI), "watchdog": False}
        with mock.patch.object(verify, "covering_list", lambda _: ["dtype=bf16 good"]):
            self.assertTrue(verify.run(context))
        self.assertEqual(self.outcomes(), {"watchdog": "skipped", "default: dtype=bf16 good": "ok",
                                           "spread: dtype=bf16 good": "ok"})


class Tune(Case):
    def test_the_time_left_is_shared_by_importance(self):
        places, left, budgets = list(range(len(cells.GPU_CELLS))), 540, []
        for place in places:
            budgets.append(tune.budget(self.context(deadline=time.time() + left), places[place:]))
            if not budgets[-1]:
                break
            left -= budgets[-1] + tune.OVERHEAD_SECONDS
        self.assertGreaterEqual(left, 0)
        self.assertEqual(budgets, sorted(budgets, reverse=True))
        self.assertGreaterEqual(budgets[0], 2 * tune.LEAST_SECONDS)
        self.assertEqual(tune.budget(self.context(deadline=time.time() + 20), places), 0)
        self.assertEqual(tune.budget(self.context(deadline=time.time() + 5000), places[-1:]), tune.MOST_SECONDS)

    def test_cells_have_distinct_names_and_count_what_is_visible(self):
        names = [cell.name for cell in cells.GPU_CELLS + cells.DRY_CELLS]
        self.assertEqual(len(set(names)), len(names))
        for cell in cells.DRY_CELLS:
            shift = cell.len_kv - cell.len_q
            width = cell.window or cell.len_kv
            slow = sum(cell.mask == "none" or i + shift - width < j <= i + shift
                       for i in range(cell.len_q) for j in range(cell.len_kv))
            self.assertEqual(cell.visible, slow, cell.name)


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
        self.assertEqual((folder / "micro.jsonl").read_text(), '{"q": "alu"}\n')
        self.assertEqual((folder / "report.txt").read_text(), "a table\n")

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
        import peers

        grid = peers.grid()
        path = self.folder / "peers.jsonl"
        path.write_text("".join(json.dumps({"q": "peer", **cell, "ms": 1.0}) + "\n" for cell in grid[:8]) + "{cut")
        before = peers.finished(path)
        left = [cell for cell in grid if json.dumps(cell, sort_keys=True) not in before]
        self.assertEqual(left, grid[8:])


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


@unittest.skipUnless(HAS_TORCH, "there is no PyTorch for this Python")
class Bench(Case):
    def test_the_judge_rejects_what_is_wrong(self):
        import torch
        from stages import attention

        cell = cells.Cell("bf16", 64, 60, 200, "causal", batch=2, heads=4, heads_kv=2)
        tensors = attention.Tensors(cell, "cpu")
        judge = attention.Judge(tensors)
        right = attention.unfused(tensors)()
        self.assertLessEqual(judge.error(right), 1)
        self.assertGreater(judge.error(torch.zeros_like(right)), 1)
        self.assertEqual(judge.error(tensors.output()), 1e300)
        self.assertGreater(judge.error(right.roll(1, 2)), 1)  # another head's
        self.assertEqual(judge.distance(right, right), 0)
        one_off = right.clone()
        one_off[1, 30, 2] = 0
        self.assertGreater(judge.distance(right, one_off), 4)
        shorter = attention.Tensors(cell, "cpu")
        shorter.k[:, :32] = -100 * shorter.k[:, :32]  # a tile of keys as good as dropped
        self.assertGreater(judge.error(attention.unfused(shorter)()), 1)

    def test_calls_take_turns_by_the_events_of_the_device(self):
        import torch
        from stages import timing

        now = [0.0]

        class Event:
            def __init__(self, enable_timing):
                assert enable_timing

            def record(self):
                self.at = now[0]

            def elapsed_time(self, other):
                return other.at - self.at

        def taking(ms):
            def call():
                now[0] += ms
            return call

        empty = torch.empty
        with mock.patch.object(torch, "empty", lambda *sizes, dtype, device: empty(8, dtype=dtype)), \
                mock.patch.object(torch.cuda, "Event", Event), mock.patch.object(torch.cuda, "synchronize"):
            times = timing.interleaved(timing.CudaClock(), {"a": taking(2.0), "b": taking(3.0)}, 0)
        self.assertEqual([times[name]["ms"] for name in "ab"], [2.0, 3.0])
        self.assertEqual(times["a"]["rounds"], timing.LEAST_ROUNDS)


if __name__ == "__main__":
    ATTENTUNE = str(pathlib.Path(sys.argv[1]).resolve())
    unittest.main(argv=sys.argv[:1])
