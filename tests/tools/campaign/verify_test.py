"""Each kernel fails alone, and says how to see it again."""

import time
import unittest
from unittest import mock

from support import FOUND, Case, read
from stages import verify

FAKE_CLI = """
    import json, os, sys, time
    words = sys.argv[1:]
    def show(**values): print(json.dumps(values), flush=True)
    if words[0] == "problems":
        for line in ("dtype=f32 good", "dtype=bf16 refused", "dtype=bf16 wrong", "dtype=bf16 hangs", "dtype=bf16 dies",
                     "dtype=bf16 traps"):
            show(event="problem", problem=line, config="")
        for config in ("tile=3", "tile=4"):
            show(event="problem", problem="dtype=bf16 shipped", config=config)
        sys.exit(0)
    line, what = words[1], words[1].split()[-1]
    if what == "refused": os._exit(2)
    if what == "hangs": time.sleep(100)
    if what == "dies": os.kill(os.getpid(), 11)
    if what == "traps": sys.exit(f"attentune: {line} with config 'tile=2' stopped the device: the watchdog says so")
    print("not JSON")
    show(event="result", problem=line, config="tile=1 | split=2", error=0.5)
    if what == "shipped" and "tile=4" in words: sys.exit(f"attentune: {line} with config 'tile=4' is wrong: by far")
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
                    "bf16 hangs": "timed_out", "bf16 dies": "crashed", "bf16 traps": "crashed"}
        outcomes = self.outcomes()
        for line, outcome in expected.items():
            self.assertEqual(outcomes[f"watchdog: dtype={line}"], outcome)
            later = "skipped" if outcome in ("timed_out", "crashed") else outcome
            self.assertEqual(outcomes[f"default: dtype={line}"], later)
        wrong = next(r for r in read(self.folder / "records.jsonl") if r["cell"] == "watchdog: dtype=bf16 wrong")
        self.assertEqual(wrong["reproduce"],
                         ["attentune verify 'dtype=bf16 wrong' --device gpu:0 --config 'tile=1 | split=2'"])
        self.assertIn("--watchdog", wrong["command"])
        trapped = next(r for r in read(self.folder / "records.jsonl") if r["cell"] == "watchdog: dtype=bf16 traps")
        self.assertEqual(trapped["reproduce"],
                         ["attentune verify 'dtype=bf16 traps' --device gpu:0 --config tile=2"])

        # A Config of its own is asked for, and is no matter for the pass over the space.
        asked = {cell: outcome for cell, outcome in outcomes.items() if "shipped" in cell}
        self.assertEqual(asked, {f"{name}: dtype=bf16 shipped [{config}]": outcome for name in ("watchdog", "default")
                                 for config, outcome in (("tile=3", "ok"), ("tile=4", "wrong"))})

        # Those of known models are what is tuned next.
        first = [record["cell"] for record in read(self.folder / "records.jsonl")][:2]
        self.assertTrue(all("shipped" in cell for cell in first), first)

        count = len(read(self.folder / "records.jsonl"))
        self.assertFalse(verify.run(context))  # known to be bad, and nothing but the skipped is asked again
        added = read(self.folder / "records.jsonl")[count:]
        self.assertEqual({record["outcome"] for record in added}, {"skipped"})

    def test_the_end_of_the_stage_is_no_fault_of_a_kernel(self):
        context = self.context(deadline=time.time() + 0.5)
        context.attentune["cli"] = self.script("attentune", FAKE_CLI)
        with mock.patch.object(verify, "covering_list", lambda _: [("dtype=bf16 hangs", "")]), \
                mock.patch.object(verify, "LEAST_SECONDS", 0.4):
            self.assertTrue(verify.run(context))
        self.assertEqual(self.outcomes()["watchdog: dtype=bf16 hangs"], "unfinished")

    def test_kernels_are_verified_beside_each_other_on_a_gpu(self):
        waits_for_the_other = """
            import json, os, pathlib, sys, time
            seen = pathlib.Path(__file__).parent
            (seen / f"{sys.argv[2].split()[-1]}.began").touch()
            while len(list(seen.glob("*.began"))) < 2: time.sleep(0.01)
            """
        context = self.context(machine={**FOUND, "cores": 4})
        context.attentune |= {"cli": self.script("attentune", waits_for_the_other)}
        with mock.patch.object(verify, "covering_list", lambda _: [("dtype=bf16 one", ""), ("dtype=bf16 two", "")]), \
                mock.patch.object(verify, "CELL_SECONDS", 20):
            self.assertTrue(verify.run(context))

    def test_an_attentune_without_watchdog_is_named_in_the_records(self):
        context = self.context()
        context.attentune |= {"cli": self.script("attentune", FAKE_CLI), "watchdog": False}
        with mock.patch.object(verify, "covering_list", lambda _: [("dtype=bf16 good", "")]):
            self.assertTrue(verify.run(context))
        self.assertEqual(self.outcomes(), {"watchdog": "skipped", "default: dtype=bf16 good": "ok",
                                           "spread: dtype=bf16 good": "ok"})


if __name__ == "__main__":
    unittest.main()
