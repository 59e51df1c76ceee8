"""Compiles Triton's attention kernels and runs their PTX on the simulator against a float64 reference. Started by
tools/simulate_triton inside its virtual environment."""

import argparse
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import left_out  # noqa: E402
import reference  # noqa: E402
import taken_out  # noqa: E402
from binary import WORK, compiled  # noqa: E402
from case import case, problem  # noqa: E402

MOST_SENTENCES = 12
MOST_REDUNDANT = 0.3  # of the waits, barriers and fences of a kernel without mbarriers
TAKEN_OUT_OF = ("library-fp16-sm_80-causal-d64-128x64x3", "masked-fp16-sm_89-full-d32-16x64x4",
                "library-bf16-sm_90-full-d128-128x128x2", "described-fp16-sm_90-causal-d64-64x64x2",
                "described-bf16-sm_90-full-d128-128x64x3", "specialized-fp16-sm_90-causal-d64-64x64x2")
HASHES = pathlib.Path(__file__).with_name("ptx.sha256")
RUNS = [(seed, asynchrony) for seed in (1, 2, 3) for asynchrony in ("lazy", "eager")]


class Runner:
    """Runs cases out of one folder: NAME.json beside NAME.ptx."""

    def __init__(self, run_ptx, folder):
        self.run_ptx, self.folder = run_ptx, folder

    def write(self, name, case_text, ptx):
        (self.folder / f"{name}.json").write_text(case_text)
        (self.folder / f"{name}.ptx").write_text(ptx)

    def run(self, name, seed=1, asynchrony="lazy"):
        """(the simulator's sentence or "", the case with the bytes that came out)"""
        result = self.folder / f"{name}.out"
        done = subprocess.run([self.run_ptx, self.folder / f"{name}.json", "--seed", str(seed), "--asynchrony",
                               asynchrony, "--write-expected", result], capture_output=True, text=True)
        if done.returncode != 0:
            return done.stderr.strip() or f"exit code {done.returncode}", None
        return "", result

    def run_variant(self, name, suffix, ptx):
        """The sentence about `ptx` on the case `name`."""
        self.write(f"{name}-{suffix}", (self.folder / f"{name}.json").read_text(), ptx)
        return self.run(f"{name}-{suffix}")[0]


def check(runner, binary, kernel, ptx, shape, index):
    """Every seed and both asynchrony modes; returns the sentences of what went wrong."""
    tensors, scale, (exact, lse, naive, v) = problem(binary, shape, 7 + index)
    name = f"{binary}-{index}"
    runner.write(name, json.dumps(case(name, binary, kernel, shape, tensors, scale)), ptx)
    # Sums of fp8 keep some 14 bits on Hopper (runtime/simulator/numerics/matrix_product.h).
    score_bits = 13 if binary.dtype == "fp8e4nv" and binary.capability == 90 else 20
    wrong = []
    for seed, asynchrony in RUNS:
        sentence, result = runner.run(name, seed, asynchrony)
        if not sentence:
            given = {each["name"]: each for each in json.loads(result.read_text())["arguments"]}
            out = np.frombuffer(bytes.fromhex(given["out"]["expected"]), np.uint16).reshape(exact.shape)
            got_lse = np.frombuffer(bytes.fromhex(given["lse"]["expected"]), np.float32).reshape(lse.shape)
            sentence = reference.fault(reference.from_bits(out, binary.out_dtype), got_lse.astype(np.float64), exact,
                                       lse, naive, v, binary.out_dtype, score_bits)
        if sentence:
            wrong.append(f"{name} ({shape}), seed {seed}, {asynchrony}: {sentence}")
    return wrong


def not_stopped(runner, binary, kernel):
    """Runs the first shape without one of what Triton left out, each in turn: sentences where that goes unnoticed."""
    wrong = []
    for i, missing in enumerate(binary.left_out):
        ptx = left_out.put_in(kernel.ptx, [one for one in binary.left_out if one is not missing])
        sentence = runner.run_variant(f"{binary}-0", f"lacks{i}", ptx)
        if missing.stopped_by not in sentence:
            wrong.append(f"{binary} as compiled is not stopped by '{missing.stopped_by}' but says '{sentence}'")
    return wrong


def unnoticed(runner, binary, ptx, pool):
    """Takes out what orders the first shape's accesses, one thing at a time. Returns what it found, and why that is
    wrong. Some are redundant, for Triton sets barriers of the block around whole operations. Where mbarriers order the
    accesses, nothing but such barriers may be."""
    places = taken_out.places(ptx)
    sentences = pool.map(lambda place: runner.run_variant(f"{binary}-0", f"without{place.line}",
                                                          taken_out.without(ptx, [place])), places)
    quiet = [place for place, sentence in zip(places, sentences) if not sentence]
    kinds = ", ".join(f"{count} {what}" for what, count in Counter(place.what for place in quiet).items())
    found = (f"{binary}: {len(places) - len(quiet)} of {len(places)} waits, barriers and fences are missed when taken "
             f"out{f', not {kinds}' if quiet else ''}")
    if any(place.what == "mbarrier.try_wait" for place in places):
        unexpected = [place for place in quiet if place.what not in ("bar.sync", "barrier.sync")]
    else:
        unexpected = quiet if len(quiet) > len(places) * MOST_REDUNDANT else []
    if unexpected:
        return found, [f"{binary}: nobody misses lines {[place.line for place in unexpected]} of its PTX"]
    return found, []


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--run-ptx", required=True)
    parser.add_argument("--library", dest="kernel", required=True, type=pathlib.Path)
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--keep", type=pathlib.Path)
    options = parser.parse_args()
    wrong, runs, hashes = [], 0, {}
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor() as pool:
        folder = options.keep or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        runner = Runner(options.run_ptx, folder)
        pending, all_compiled = [], []
        for binary, shapes in WORK:
            kernel = compiled(binary, options.kernel)
            hashes[str(binary)] = hashlib.sha256(kernel.ptx.encode()).hexdigest()
            ptx = left_out.put_in(kernel.ptx, binary.left_out)
            all_compiled.append((binary, kernel, ptx))
            for index, shape in enumerate(shapes):
                pending.append((binary, shape, pool.submit(check, runner, binary, kernel, ptx, shape, index)))
        for binary, shape, future in pending:
            found = future.result()
            runs += len(RUNS)
            print(f"{binary}, {shape}: {f'{len(found)} of {len(RUNS)} runs wrong' if found else 'ok'}", flush=True)
            wrong += found
        for binary, kernel, ptx in all_compiled:
            wrong += not_stopped(runner, binary, kernel)
            if str(binary) not in TAKEN_OUT_OF:
                continue
            found, unmissed = unnoticed(runner, binary, ptx, pool)
            print(found, flush=True)
            wrong += unmissed
    text = "".join(f"{digest}  {name}\n" for name, digest in sorted(hashes.items()))
    if options.record:
        HASHES.write_text(text)
    elif text != HASHES.read_text():
        print("note: the PTX is not that of tools/triton/ptx.sha256; --record writes its hashes")
    for sentence in wrong[:MOST_SENTENCES]:
        print(sentence, file=sys.stderr)
    print(f"{runs} runs of {len(hashes)} Triton kernels, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
