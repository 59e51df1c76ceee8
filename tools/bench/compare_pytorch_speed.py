#!/usr/bin/env python3
"""attentune against PyTorch's CPU scaled_dot_product_attention, in turns in one process, on the same tensors.

  tools/bench/compare_pytorch_speed.py --library build/release/lib/libattentune.so [--threads N] [--seconds 1] [--all]

Needs torch and nothing else; attentune is called through its C interface. Both see [batch, row, head, d] in memory (to
PyTorch a transposed view, the layout models have after their projections). A cell is the median of the ratios of
neighbouring runs; above 1 attentune is faster. --all: also sequences of 4096 (minutes where PyTorch is slow).
"""
import argparse
import math
import pathlib
import statistics
import sys
import time

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import attentune_ctypes as attentune


def bind(runtime, text, q, k, v, out):
    """A function that runs the problem once; what it needs lives as long as the process."""
    problem = runtime.abi.problem(text)
    binding = runtime.kernel(problem).bind(problem, q=q.data_ptr(), k=k.data_ptr(), v=v.data_ptr(), out=out.data_ptr())
    return binding.launch


def cells(everything):
    """(name, dtype, batch, heads, KV heads, d, rows, keys, causal)"""
    for dtype in ("f32", "bf16"):
        for dim in (64, 128):
            for seq in (512, 1024, 4096) if everything else (512, 1024):
                for causal in (False, True):
                    yield dtype, 1, 8, 8, dim, seq, seq, causal
            yield dtype, 8, 32, 8, dim, 1, 4096, False


def pytorch_call(q, k, v, causal):
    attention = torch.nn.functional.scaled_dot_product_attention
    q, k, v = (x.transpose(1, 2) for x in (q, k, v))
    if q.shape[1] == k.shape[1]:
        return lambda: attention(q, k, v, is_causal=causal)
    try:
        attention(q, k, v, enable_gqa=True)
        return lambda: attention(q, k, v, is_causal=causal, enable_gqa=True)
    except TypeError:  # before enable_gqa: the heads are repeated beforehand, which is not timed
        group = q.shape[1] // k.shape[1]
        k, v = (x.repeat_interleave(group, dim=1) for x in (k, v))
        return lambda: attention(q, k, v, is_causal=causal)


def seconds(call):
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def compare(ours, theirs, budget):
    """Median seconds of both and the median ratio of neighbouring runs."""
    for call in (ours, theirs):
        call()
    rows = []
    begin = time.perf_counter()
    while len(rows) < 5 or (len(rows) < 1000 and time.perf_counter() - begin < budget):
        rows.append((seconds(ours), seconds(theirs)))
    return (statistics.median(r[0] for r in rows), statistics.median(r[1] for r in rows),
            statistics.median(r[1] / r[0] for r in rows))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", dest="path", required=True)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--seconds", type=float, default=1.0, help="per cell")
    parser.add_argument("--all", action="store_true", help="sequences of 4096, too")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    runtime = attentune.Interface(arguments.path).runtime(device="host", store="", threads=arguments.threads)
    print(f"PyTorch {torch.__version__}, {arguments.threads} threads\n")
    print("| cell | attentune ms | PyTorch ms | ratio |\n|---|---|---|---|")
    ratios = []
    for dtype, batch, heads, heads_kv, dim, rows, keys, causal in cells(arguments.all):
        kind = torch.float32 if dtype == "f32" else torch.bfloat16
        generator = torch.Generator().manual_seed(1)
        q = torch.randn(batch, rows, heads, dim, generator=generator).to(kind)
        k, v = (torch.randn(batch, keys, heads_kv, dim, generator=generator).to(kind) for _ in range(2))
        out = torch.full_like(q, math.nan)
        text = (f"dtype={dtype} batch={batch} heads={heads}/{heads_kv} head_dim={dim} seq={rows}/{keys}"
                + (" mask=causal()" if causal else ""))
        ours, theirs = bind(runtime, text, q, k, v, out), pytorch_call(q, k, v, causal)
        ours()
        difference = (out.double() - theirs().transpose(1, 2).double()).abs().max().item()
        if not difference < (1e-4 if dtype == "f32" else 3e-2):
            sys.exit(f"{text}: the results differ by {difference}")
        mine, other, ratio = compare(ours, theirs, arguments.seconds)
        ratios.append(ratio)
        print(f"| {text} | {mine * 1e3:.3f} | {other * 1e3:.3f} | {ratio:.2f} |", flush=True)
    geomean = math.exp(statistics.fmean(math.log(r) for r in ratios))
    print(f"\ngeomean={geomean:.2f} worst={min(ratios):.2f} cells={len(ratios)}")


if __name__ == "__main__":
    main()
