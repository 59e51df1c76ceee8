"""Compiles Triton's attention kernels and runs their PTX on the simulator against a float64 reference. Started by
tools/simulate_triton inside its virtual environment."""

import argparse
import hashlib
import json
import math
import pathlib
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import kernels  # noqa: E402
import reference  # noqa: E402
from compiled import compile_kernel, library_attention  # noqa: E402

LOG2_E = math.log2(math.e)
MOST_SENTENCES = 12
MOST_REDUNDANT = 0.3  # of a kernel's waits and barriers
HASHES = pathlib.Path(__file__).with_name("ptx.sha256")


@dataclass(frozen=True)
class Binary:
    """What is compiled once and run on several shapes."""

    kernel: str  # "library" or "masked"
    dtype: str
    capability: int
    causal: bool
    dim: int  # library: the head dim; masked: the tile that holds it
    tile_m: int = 64
    tile_n: int = 32
    stages: int = 3

    @property
    def out_dtype(self):
        return "bf16" if self.dtype == "fp8e4nv" else self.dtype

    def __str__(self):
        return (f"{self.kernel}-{self.dtype}-sm_{self.capability}-{'causal' if self.causal else 'full'}-d{self.dim}"
                f"-{self.tile_m}x{self.tile_n}x{self.stages}")


@dataclass(frozen=True)
class Shape:
    heads: int
    len_q: int
    len_kv: int
    dim: int
    group: int = 1

    def __str__(self):
        return f"heads {self.heads}/{self.heads // self.group} len {self.len_q}/{self.len_kv} dim {self.dim}"


WORK = [
    (Binary("library", "fp16", 80, True, 64, 128, 64), [Shape(2, 256, 256, 64)]),
    (Binary("library", "bf16", 80, False, 128, 64, 64), [Shape(1, 192, 192, 128)]),
    (Binary("library", "bf16", 89, True, 64), [Shape(3, 192, 192, 64)]),
    (Binary("library", "fp16", 89, False, 32, stages=4), [Shape(1, 64, 64, 32), Shape(1, 320, 320, 32)]),
    (Binary("masked", "fp16", 80, True, 64), [Shape(3, 67, 131, 64), Shape(1, 129, 65, 64), Shape(2, 1, 97, 64, 2)]),
    (Binary("masked", "bf16", 80, False, 128), [Shape(2, 65, 127, 80, 2), Shape(1, 33, 1, 128)]),
    (Binary("masked", "bf16", 89, True, 64, stages=2), [Shape(1, 200, 200, 40), Shape(3, 64, 96, 64, 3)]),
    (Binary("masked", "fp8e4nv", 89, True, 64, 64, 64), [Shape(2, 65, 161, 64), Shape(1, 127, 127, 48)]),
    (Binary("masked", "fp16", 89, False, 32, 16, 64, 4), [Shape(2, 31, 333, 32), Shape(1, 50, 50, 17)]),
]
RUNS = [(seed, asynchrony) for seed in (1, 2, 3) for asynchrony in ("lazy", "eager")]


def compiled(binary, library):
    if binary.kernel == "library":
        kernel = library_attention(library)
        ones = {"stride_qk", "stride_kk", "stride_vk", "stride_on"}
        constants = {"BLOCK_M": binary.tile_m, "BLOCK_N": binary.tile_n, "BLOCK_DMODEL": binary.dim,
                     "IS_CAUSAL": binary.causal, **{name: 1 for name in ones}}
        pointers = {"Q", "K", "V", "Out"}
        types = {name: "i32" for name in kernel.arg_names} | {name: "*" + binary.dtype for name in pointers}
        types |= {"L": "*fp32", "sm_scale": "fp32"}
        aligned = pointers | {"L"} | {name for name in kernel.arg_names if name.startswith("stride")} - ones
    else:
        kernel = kernels.masked_attention
        constants = {"CAUSAL": binary.causal, "TILE_M": binary.tile_m, "TILE_N": binary.tile_n, "TILE_D": binary.dim}
        pointers = {"q", "k", "v", "out"}
        types = {name: "i32" for name in kernel.arg_names} | {name: "*" + binary.dtype for name in pointers}
        types |= {"out": "*" + binary.out_dtype, "lse": "*fp32", "scale_log2": "fp32"}
        aligned = pointers | {"lse"} | ({"dim"} if binary.dim >= 64 else set())
    return compile_kernel(kernel, types, constants, binary.capability, aligned, binary.stages)


def arguments(binary, shape, tensors, scale):
    """The values of the kernel's parameters by name, in order."""
    data = {name: {"kind": "buffer", "name": name, "data": bits.tobytes().hex()} for name, bits in tensors.items()}
    data["out"] = {"kind": "buffer", "name": "out", "bytes": 2 * shape.heads * shape.len_q * shape.dim, "expected": ""}
    data["lse"] = {"kind": "buffer", "name": "lse", "bytes": 4 * shape.heads * shape.len_q, "expected": ""}

    def scalar(name, value, kind="s32"):
        return {"kind": "scalar", "name": name, "type": kind, "value": value}

    if binary.kernel == "masked":
        return [data["q"], data["k"], data["v"], data["out"], data["lse"], scalar("len_q", shape.len_q),
                scalar("len_kv", shape.len_kv), scalar("dim", shape.dim), scalar("group", shape.group),
                scalar("scale_log2", scale * LOG2_E, "f32")]
    strides = [shape.heads * shape.len_q * shape.dim, shape.len_q * shape.dim, shape.dim]
    return [data["q"], data["k"], data["v"], scalar("sm_scale", scale, "f32"), data["lse"], data["out"],
            *(scalar(f"stride_{tensor}{axis}", value) for tensor in "qkvo" for axis, value in zip("zhm", strides)),
            scalar("Z", 1), scalar("H", shape.heads), scalar("N_CTX", shape.len_q),
            scalar("Z_H_N_CTX", shape.heads * shape.len_q)]


def problem(binary, shape, seed):
    """Random inputs as bits, and what must come out."""
    random = np.random.default_rng(seed)
    kv_heads = shape.heads // shape.group
    sizes = {"q": (shape.heads, shape.len_q), "k": (kv_heads, shape.len_kv), "v": (kv_heads, shape.len_kv)}
    tensors = {name: reference.to_bits(random.standard_normal((*size, shape.dim)), binary.dtype)
               for name, size in sizes.items()}
    scale = 1 / math.sqrt(shape.dim)
    q, k, v = (reference.from_bits(bits, binary.dtype) for bits in tensors.values())
    scale_log2 = float(np.float32(scale * LOG2_E))
    if binary.kernel == "library":
        # Triton's kernel scales and rounds q before it multiplies.
        factor = np.float32(np.float32(scale) * np.float32(1.44269504))
        q, scale_log2 = reference.rounded((q.astype(np.float32) * factor).astype(np.float64), binary.dtype), 1.0
    k, v = (np.repeat(each, shape.group, axis=0) for each in (k, v))
    return tensors, scale, (*reference.attention(q, k, v, scale_log2, binary.causal, binary.dtype,
                                                      binary.out_dtype), v)


def check(run_ptx, folder, binary, kernel, shape, index):
    """Every seed and both asynchrony modes; returns the sentences of what went wrong."""
    tensors, scale, (exact, lse, naive, v) = problem(binary, shape, 7 + index)
    name = f"{binary}-{index}"
    (folder / f"{name}.ptx").write_text(kernel.ptx)
    scratch = [{"kind": "scalar", "name": f"scratch{i}", "type": "u64", "value": 0}
               for i in range(kernel.scratch_parameters)]
    case = folder / f"{name}.json"
    case.write_text(json.dumps({
        "form": name, "arch": f"sm_{binary.capability}", "entry": kernel.entry, "block": [kernel.threads, 1, 1],
        "grid": [-(-shape.len_q // binary.tile_m), shape.heads, 1], "shared_bytes": kernel.shared_bytes,
        "arguments": arguments(binary, shape, tensors, scale) + scratch}))
    wrong = []
    for seed, asynchrony in RUNS:
        result = folder / f"{name}.out"
        done = subprocess.run([run_ptx, case, "--seed", str(seed), "--asynchrony", asynchrony, "--write-expected",
                               result], capture_output=True, text=True)
        sentence = done.stderr.strip()
        if done.returncode == 0:
            given = {each["name"]: each for each in json.loads(result.read_text())["arguments"]}
            out = np.frombuffer(bytes.fromhex(given["out"]["expected"]), np.uint16).reshape(exact.shape)
            got_lse = np.frombuffer(bytes.fromhex(given["lse"]["expected"]), np.float32).reshape(lse.shape)
            sentence = reference.fault(reference.from_bits(out, binary.out_dtype), got_lse.astype(np.float64), exact,
                                       lse, naive, v, binary.out_dtype)
        if sentence:
            wrong.append(f"{name} ({shape}), seed {seed}, {asynchrony}: {sentence}")
    return wrong


def unnoticed(run_ptx, folder, binary):
    """Takes out each bar.sync and cp.async.wait_group of the first shape's PTX, one at a time: the lines whose loss
    stopped no run, and how many lines there are. A few are redundant: Triton sets barriers around whole operations."""
    name = f"{binary}-0"
    lines = (folder / f"{name}.ptx").read_text().split("\n")
    waits = [i for i, line in enumerate(lines) if line.strip().startswith(("bar.sync", "cp.async.wait_group"))]
    case, result = folder / f"{name}-mutated.json", folder / f"{name}-mutated.out"
    shutil.copy(folder / f"{name}.json", case)
    quiet = []
    for taken in waits:
        case.with_suffix(".ptx").write_text("\n".join(lines[:taken] + [""] + lines[taken + 1:]))
        done = subprocess.run([run_ptx, case, "--seed", "1", "--write-expected", result], capture_output=True)
        if done.returncode == 0:
            quiet.append(taken + 1)
    return quiet, len(waits)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--run-ptx", required=True)
    parser.add_argument("--library", required=True, type=pathlib.Path)
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--keep", type=pathlib.Path)
    options = parser.parse_args()
    wrong, runs, hashes = [], 0, {}
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor() as pool:
        folder = options.keep or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        pending = []
        for binary, shapes in WORK:
            kernel = compiled(binary, options.library)
            hashes[str(binary)] = hashlib.sha256(kernel.ptx.encode()).hexdigest()
            for index, shape in enumerate(shapes):
                pending.append((binary, shape, pool.submit(check, options.run_ptx, folder, binary, kernel, shape, index)))
        for binary, shape, future in pending:
            found = future.result()
            runs += len(RUNS)
            print(f"{binary}, {shape}: {f'{len(found)} of {len(RUNS)} runs wrong' if found else 'ok'}", flush=True)
            wrong += found
        for binary in (WORK[0][0], WORK[-1][0]):
            quiet, count = unnoticed(options.run_ptx, folder, binary)
            print(f"{binary}: {count - len(quiet)} of {count} waits and barriers are missed when taken out")
            if len(quiet) > count * MOST_REDUNDANT:
                wrong.append(f"{binary}: nobody misses lines {quiet} of its PTX")
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
