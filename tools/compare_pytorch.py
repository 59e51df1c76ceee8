#!/usr/bin/env python3
"""Attention by PyTorch in float64, to hold attentune against.

  tools/compare_pytorch.py --golden                       rewrite tests/runtime/data/golden
  tools/compare_pytorch.py --live build/release/bin/attentune [--count 20] [--seed 1]
                                                          random problems through `attentune run`

Needs numpy and torch (any version with a CPU backend; the committed files were made by PyTorch 1.13). Inputs come from
numpy's seeded generator. Masks are explicit bool matrices and the softmax is written out, so nothing here depends on how
PyTorch's own attention aligns or masks; where torch has scaled_dot_product_attention, it must agree too.

A golden case NN is NN_q.npy, NN_k.npy, NN_v.npy (f32 and f16 as such, bf16 as raw uint16), NN_sink.npy where the problem
has sink logits, and NN_out.npy, NN_lse.npy: float64 as raw bytes, one more dimension of 8.
"""
import argparse
import math
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "tests/runtime/data/golden"

CASES = [
    "dtype=f32 heads=1 head_dim=1 seq=1 outputs=out,lse",
    "dtype=f32 heads=1 head_dim=7 seq=5 outputs=out,lse",
    "dtype=f32 batch=2 heads=4/2 head_dim=17/5 seq=13/29 outputs=out,lse",
    "dtype=f32 heads=3/1 head_dim=33 seq=31/67 mask=causal() outputs=out,lse",
    "dtype=f32 heads=2 head_dim=16 seq=40/17 mask=causal() outputs=out,lse",
    "dtype=f16 heads=6/2 head_dim=24/40 seq=1/77 outputs=out,lse",
    "dtype=f16 heads=2 head_dim=40 seq=37 mask=window(7,3) outputs=out,lse",
    "dtype=f16 heads=2 head_dim=64 seq=20/50 mask=causal()&window(15,0) outputs=out,lse",
    "dtype=f16 heads=1 head_dim=80 seq=33 score=softcap(2.5) outputs=out,lse",
    "dtype=bf16 batch=3 heads=2/1 head_dim=8 seq=9/11 mask=causal() outputs=out,lse",
    "dtype=bf16 heads=4/2 head_dim=40 seq=19/45 mask=causal()&(window(9,0)|sink(4)) score=softcap(3) outputs=out,lse",
    "dtype=bf16 heads=2 head_dim=72 seq=23 mask=window(0,0) outputs=out,lse",
    "dtype=bf16 heads=8/1 head_dim=24/16 seq=5/63 mask=sink(3)|window(2,2) outputs=out,lse",
    "dtype=f32 heads=4/2 head_dim=16 seq=21 mask=causal() outputs=out,lse sink_logit=yes",
    "dtype=f32 heads=2 head_dim=16 seq=30/9 mask=causal() outputs=out,lse sink_logit=yes",
    "dtype=bf16 heads=4/4 head_dim=32 seq=17/33 mask=causal()&window(5,0) outputs=out,lse sink_logit=yes",
    "dtype=f32 heads=2 head_dim=8 seq=12/25 outputs=out,lse scale=0.5",
    "dtype=f32 heads=1 head_dim=12 seq=3/300 outputs=out,lse",
    "dtype=f16 heads=2 head_dim=16 seq=28/12 mask=causal()&window(3,1) outputs=out,lse",
    "dtype=f32 heads=1 head_dim=20 seq=25 mask=causal()|window(4,9) outputs=out,lse",
    "dtype=f32 heads=1 head_dim=16 seq=15/40 score=softcap(30) mask=sink(100)&causal() outputs=out,lse",
]


class Problem:
    """The few fields these cases use, read from the canonical line."""

    def __init__(self, text):
        words = dict(word.split("=", 1) for word in text.split())

        def pair(name):
            first, _, second = words[name].partition("/")
            return int(first), int(second or first)

        self.text = text
        self.dtype = words["dtype"]
        self.batch = int(words.get("batch", 1))
        self.heads, self.heads_kv = pair("heads")
        self.dim, self.dim_v = pair("head_dim")
        self.len_q, self.len_kv = pair("seq")
        self.mask = words.get("mask", "all()")
        self.score = words.get("score", "score")
        self.sink = words.get("sink_logit") == "yes"
        self.scale = float(words.get("scale", 1 / math.sqrt(self.dim)))

    def visible(self):
        """[len_q, len_kv] bool: bottom-right aligned, as attentune defines its helpers."""
        i = torch.arange(self.len_q)[:, None] + (self.len_kv - self.len_q)
        j = torch.arange(self.len_kv)[None, :]
        helpers = {
            "all": lambda: torch.ones(self.len_q, self.len_kv, dtype=torch.bool),
            "causal": lambda: j <= i,
            "window": lambda left, right: (j >= i - left) & (j <= i + right),
            "sink": lambda n: (j < n).expand(self.len_q, self.len_kv),
        }
        return eval(self.mask, {"__builtins__": {}}, helpers)  # our own lines above, or random_problem's

    def scored(self, s):
        softcap = lambda cap: cap * torch.tanh(s / cap)
        return eval(self.score, {"__builtins__": {}}, {"score": s, "softcap": softcap})


def inputs(problem, seed):
    """Q, K, V as torch tensors of the problem's dtype, and the sink logits."""
    random = np.random.default_rng(seed)
    dtype = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}[problem.dtype]

    def normal(*shape):
        return torch.from_numpy(random.standard_normal(shape)).to(dtype)

    q = normal(problem.batch, problem.len_q, problem.heads, problem.dim)
    k = normal(problem.batch, problem.len_kv, problem.heads_kv, problem.dim)
    v = normal(problem.batch, problem.len_kv, problem.heads_kv, problem.dim_v)
    sink = torch.from_numpy(random.standard_normal(problem.heads)).float() if problem.sink else None
    return q, k, v, sink


def attention(problem, q, k, v, sink):
    """Output [batch, len_q, heads, dim_v] and LSE [batch, heads, len_q], float64."""
    group = problem.heads // problem.heads_kv
    q = q.double().transpose(1, 2)
    k = k.double().transpose(1, 2).repeat_interleave(group, dim=1)
    v = v.double().transpose(1, 2).repeat_interleave(group, dim=1)
    visible = problem.visible()
    s = problem.scored(problem.scale * (q @ k.transpose(2, 3)))
    s = s.masked_fill(~visible, -math.inf)
    if sink is not None:  # one more column without a value
        column = sink.double()[None, :, None, None].expand(problem.batch, -1, problem.len_q, 1)
        s = torch.cat([s, column], dim=3)
    lse = torch.logsumexp(s, dim=3)
    p = torch.where(torch.isinf(lse)[..., None], torch.zeros_like(s), torch.softmax(s, dim=3))
    out = p[..., : problem.len_kv] @ v

    ours = getattr(torch.nn.functional, "scaled_dot_product_attention", None)
    if ours and sink is None and problem.score == "score" and bool(visible.any(dim=1).all()):
        theirs = ours(q * (problem.scale * math.sqrt(problem.dim)), k, v, attn_mask=visible)
        assert torch.allclose(out, theirs, rtol=1e-12, atol=1e-12), problem.text
    return out.transpose(1, 2).contiguous(), lse


def raw(tensor):
    """A tensor as the array attentune reads: bf16 as its bits."""
    if tensor.dtype == torch.bfloat16:
        return tensor.contiguous().view(torch.int16).numpy().view(np.uint16)
    return tensor.contiguous().numpy()


def from_raw(array, dtype):
    if dtype == "bf16":
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def write_golden():
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for old in GOLDEN.glob("*.npy"):
        old.unlink()
    lines = [f"# number and problem; made by tools/compare_pytorch.py --golden with PyTorch {torch.__version__}"]
    for number, text in enumerate(CASES):
        problem = Problem(text)
        q, k, v, sink = inputs(problem, seed=1000 + number)
        out, lse = attention(problem, q, k, v, sink)
        arrays = {"q": raw(q), "k": raw(k), "v": raw(v)}
        if sink is not None:
            arrays["sink"] = raw(sink)
        for name, exact in (("out", out), ("lse", lse)):
            arrays[name] = np.ascontiguousarray(exact.numpy())[..., None].view(np.uint8)
        for name, array in arrays.items():
            np.save(GOLDEN / f"{number:02}_{name}.npy", array)
        lines.append(f"{number:02} {text}")
    (GOLDEN / "manifest.txt").write_text("\n".join(lines) + "\n")
    size = sum(path.stat().st_size for path in GOLDEN.iterdir())
    print(f"{len(CASES)} cases, {size} bytes in {GOLDEN}")


def random_problem(random):
    dtype = random.choice(["f32", "f16", "bf16"])
    heads_kv = int(random.integers(1, 4))
    heads = heads_kv * int(random.integers(1, 5))
    dim = int(random.choice([8, 16, 40, 64, 80, 128]))
    dim_v = dim if random.random() < 0.7 else int(random.choice([8, 32, 96]))
    len_q, len_kv = int(random.integers(1, 300)), int(random.integers(1, 400))
    left, right, sink = (int(random.integers(0, 90)) for _ in range(3))
    mask = random.choice(["all()", "causal()", f"window({left},{right})", f"causal()&window({left},0)",
                          f"causal()&(window({left},0)|sink({sink}))"])
    text = (f"dtype={dtype} batch={int(random.integers(1, 3))} heads={heads}/{heads_kv} head_dim={dim}/{dim_v} "
            f"seq={len_q}/{len_kv}")
    if mask != "all()":
        text += f" mask={mask}"
    if random.random() < 0.25:
        text += f" score=softcap({int(random.integers(2, 50))})"
    if random.random() < 0.25:
        text += " sink_logit=yes"
    return text + " outputs=out,lse"


def live(command, count, seed):
    """Runs `attentune run` on random problems. The tolerance here is coarse, for an outside look at layouts, masks and
    heads; `attentune run` itself holds the result to the error bound and exits 1 over it."""
    random = np.random.default_rng(seed)
    # The output's rounding, and for 16 bits a kernel may round P as well.
    relative = {"f32": 2e-5, "f16": 4e-3, "bf16": 3e-2}
    failures = 0
    for number in range(count):
        text = random_problem(random)
        problem = Problem(text)
        q, k, v, sink = inputs(problem, seed=seed * 1000 + number)
        exact, exact_lse = attention(problem, q, k, v, sink)
        with tempfile.TemporaryDirectory() as folder:
            path = {name: f"{folder}/{name}.npy" for name in ("q", "k", "v", "out", "lse")}
            for name, tensor in (("q", q), ("k", k), ("v", v)):
                np.save(path[name], raw(tensor))
            words = [command, "run", text] + [w for name in path for w in (f"--{name}", path[name])]
            if sink is not None:
                np.save(f"{folder}/sink.npy", raw(sink))
                words += ["--sink-logit-file", f"{folder}/sink.npy"]
            done = subprocess.run(words, capture_output=True, text=True)
            if done.returncode != 0:
                print(f"FAILED {text}: exit {done.returncode}: {done.stderr.strip()}")
                failures += 1
                continue
            out = from_raw(np.load(path["out"]), problem.dtype).double()
            lse = torch.from_numpy(np.load(path["lse"])).double()
        tolerance = relative[problem.dtype]
        error = float((out - exact).abs().max() / max(1.0, float(exact.abs().max())))
        finite = torch.isfinite(exact_lse)
        same_rows = bool((torch.isfinite(lse) == finite).all())
        lse_error = float((lse - exact_lse)[finite].abs().max()) if bool(finite.any()) else 0.0
        good = error <= tolerance and lse_error <= 1e-4 and same_rows
        failures += not good
        print(f"{'ok    ' if good else 'WRONG '} error {error:.1e} lse {lse_error:.1e}  {text}")
    print(f"{count - failures} of {count} agree with PyTorch {torch.__version__}")
    return 1 if failures else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--golden", action="store_true", help="rewrite the golden files")
    what.add_argument("--live", metavar="ATTENTUNE", help="path of the command to run")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.golden:
        write_golden()
        return 0
    return live(arguments.live, arguments.count, arguments.seed)


if __name__ == "__main__":
    sys.exit(main())
