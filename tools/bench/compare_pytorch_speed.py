#!/usr/bin/env python3
"""attentune against PyTorch's CPU scaled_dot_product_attention, in turns in one process, on the same tensors.

  tools/bench/compare_pytorch_speed.py --library build/release/lib/libattentune.so [--threads N] [--seconds 1] [--all]

Needs torch and nothing else; attentune is called through its C interface. Both see [batch, row, head, d] in memory (to
PyTorch a transposed view, the layout models have after their projections). A cell is the median of the ratios of
neighbouring turns; above 1 attentune is faster. A turn is some calls, once the other's threads sleep: PyTorch's spin for
a while after each call. --no-rest takes single calls in turns, as a program does that calls both. --all: also sequences
of 4096 (minutes where PyTorch is slow).
"""
import argparse
import math

import torch

import side_by_side


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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", dest="path", required=True)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--seconds", type=float, default=1.0, help="per cell")
    parser.add_argument("--all", action="store_true", help="sequences of 4096, too")
    parser.add_argument("--no-rest", action="store_true", help="single calls in turns")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    runtime = side_by_side.runtime(arguments.path, arguments.threads)
    print(f"PyTorch {torch.__version__}, {arguments.threads} threads\n")
    table = side_by_side.Table("PyTorch", rests=not arguments.no_rest)
    for dtype, batch, heads, heads_kv, dim, rows, keys, causal in side_by_side.cells(("f32", "bf16"), arguments.all):
        kind = torch.float32 if dtype == "f32" else torch.bfloat16
        generator = torch.Generator().manual_seed(1)
        q = torch.randn(batch, rows, heads, dim, generator=generator).to(kind)
        k, v = (torch.randn(batch, keys, heads_kv, dim, generator=generator).to(kind) for _ in range(2))
        out = torch.full_like(q, math.nan)
        text = (f"dtype={dtype} batch={batch} heads={heads}/{heads_kv} head_dim={dim} seq={rows}/{keys}"
                + (" mask=causal()" if causal else ""))
        ours = side_by_side.bind(runtime, text, q=q.data_ptr(), k=k.data_ptr(), v=v.data_ptr(), out=out.data_ptr())
        theirs = pytorch_call(q, k, v, causal)
        ours()
        side_by_side.check_same(text, out.double().numpy(), theirs().transpose(1, 2).double().numpy(),
                                1e-4 if dtype == "f32" else 3e-2)
        table.measure(text, ours, theirs, arguments.seconds)
    table.end()


if __name__ == "__main__":
    main()
