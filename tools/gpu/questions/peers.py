#!/usr/bin/env python3
"""What the peers reach on this GPU: cuDNN, FlashAttention-2, memory-efficient and FlexAttention through PyTorch, plus matrix and copy
ceilings.  peers.py OUT.jsonl [--minutes M] [--only WORD] [--dry]
Cells run in order of importance and the script stops when the budget is spent. Median of CUDA-event times; before every timed call a
512 MB buffer is written, which empties L2 and hides the host's launch cost. FLOP: 4*b*h*sq*sk*d, only the visible part of a causal or
windowed mask, backward 2.5x forward. Tensors are stored [batch][seq][head][dim], as models do."""
import argparse, json, math, os, sys, time

TOKENS, HIDDEN = 16384, 2048


def cell(be, dt="bf16", d=128, causal=False, b=None, hq=None, hkv=None, sq=4096, sk=None, win=0, bwd=False, tag="grid"):
    hq = hq or HIDDEN // d
    return dict(backend=be, dtype=dt, d=d, causal=causal, b=b or max(1, TOKENS // sq), hq=hq, hkv=hkv or hq, sq=sq, sk=sk or sq, win=win, bwd=bwd, tag=tag)


def grid():
    """Most important first."""
    D, CM, CF = (128, 64, 256), (True, False), ("cudnn", "flash")
    fwd = lambda seqs, dt="bf16", bes=CF: [cell(be, dt, d, c, sq=s) for s in seqs for d in D for c in CM for be in bes]
    bwd = lambda seqs: [cell(be, d=d, causal=c, sq=s, bwd=True, tag="bwd") for s in seqs for d in (128, 64) for c in CM for be in CF]
    L = [dict(backend="ceiling", tag=t) for t in ("matmul_bf16", "matmul_fp16", "matmul_fp8", "copy", "read")]
    L += fwd((4096, 16384))
    L += [cell(be, sq=1, sk=s, b=32, hq=32, hkv=8, tag="decode") for s in (8192, 32768) for be in ("flash", "cudnn", "efficient")]
    L += [cell(be, causal=c, b=4 if s == 4096 else 1, hq=32, hkv=8, sq=s, tag="gqa") for s in (4096, 16384) for c in CM for be in CF]
    L += bwd((4096, 16384)) + fwd((1024, 512))
    L += [cell("flex", causal=True), cell("flex", b=1, hq=16, sq=32768, win=4096, causal=True, tag="window"), cell("flex", d=64, causal=True),
          cell("flex", sq=1, sk=8192, b=32, hq=32, hkv=8, tag="decode"), cell("flex")]
    L += [cell(be, d=d, hq=16, causal=c, sq=4096, b=4, tag="odd_d") for d in (80, 96, 112, 160, 192, 72) for c in CM for be in CF]
    L += fwd((2048, 8192)) + fwd((4096, 16384), "fp16") + bwd((1024, 512, 2048, 8192))
    L += fwd((4096, 16384, 512), bes=("efficient",)) + [cell("efficient", d=d, hq=16, causal=True, sq=4096, b=4, tag="odd_d") for d in (80, 96, 112, 160, 192, 72)]
    L += [cell("flex", causal=True, sq=16384, b=1), cell("flex", causal=True, b=4, hq=32, hkv=8, tag="gqa"), cell("flex", sq=1, sk=32768, b=32, hq=32, hkv=8, tag="decode"),
          cell("flex", causal=True, bwd=True, tag="bwd"), cell("flex", d=256, causal=True), cell("flex", d=96, hq=16, b=4, causal=True, tag="odd_d")]
    L += fwd((1024, 512, 2048, 8192), "fp16")
    return L


def visible(c):
    """Scores actually needed, out of sq*sk (bottom-right aligned causal; window counts the token itself)."""
    if c["win"]: return sum(min(i + 1, c["win"]) for i in range(c["sq"]))
    return c["sq"] * c["sk"] / 2 if c["causal"] else c["sq"] * c["sk"]


def finished(path):
    """The cells that a file of an earlier run holds, each as text."""
    rows = []
    if os.path.exists(path):
        with open(path) as f:
            for line in f:
                try: rows.append(json.loads(line))
                except ValueError: pass                      # the line a kill cut short
    known = cell("").keys()
    key = lambda row: json.dumps({k: row[k] for k in row if k in known} if row["backend"] != "ceiling" else dict(backend="ceiling", tag=row["tag"]), sort_keys=True)
    return {key(row) for row in rows if row.get("q") == "peer"}


class Runner:
    def __init__(self, min_s=0.08):
        import torch
        self.t, self.min_s = torch, min_s
        self.flush = torch.empty(512 << 20, dtype=torch.uint8, device="cuda")

    def time(self, fn):
        """median, min in ms and number of timed calls"""
        t = self.t
        fn(); t.cuda.synchronize()
        w = time.perf_counter(); fn(); t.cuda.synchronize(); one = time.perf_counter() - w
        n = max(7, min(40, int(self.min_s / max(one, 1e-5))))
        ev = [(t.cuda.Event(enable_timing=True), t.cuda.Event(enable_timing=True)) for _ in range(n)]
        for a, b in ev:
            self.flush.fill_(1); a.record(); fn(); b.record()
        t.cuda.synchronize()
        ms = sorted(a.elapsed_time(b) for a, b in ev)
        return ms[n // 2], ms[0], n

    def ceiling(self, tag):
        t = self.t; n = 8192
        if tag in ("copy", "read"):
            x = t.empty(4 << 30, dtype=t.uint8, device="cuda"); x.fill_(3)
            if tag == "copy":
                y = t.empty_like(x); ms, mn, r = self.time(lambda: y.copy_(x)); by = 2 * x.numel()
            else:
                v = x.view(t.float32); ms, mn, r = self.time(lambda: v.sum()); by = x.numel()
            return dict(ms=ms, min_ms=mn, reps=r, tb_s=by / ms / 1e9)
        if tag == "matmul_fp8":
            a, b = (t.randn(n, n, device="cuda").to(t.float8_e4m3fn) for _ in range(2)); one = t.ones((), device="cuda")
            fn = lambda: t._scaled_mm(a, b.t(), scale_a=one, scale_b=one, out_dtype=t.bfloat16, use_fast_accum=True)
        else:
            dt = t.bfloat16 if tag == "matmul_bf16" else t.float16
            a, b = (t.randn(n, n, device="cuda", dtype=dt) for _ in range(2)); o = t.empty(n, n, device="cuda", dtype=dt); fn = lambda: t.matmul(a, b, out=o)
        ms, mn, r = self.time(fn)
        return dict(ms=ms, min_ms=mn, reps=r, tflops=2 * n ** 3 / ms / 1e9, tflops_best=2 * n ** 3 / mn / 1e9)

    def attention(self, c):
        t = self.t; dt = t.bfloat16 if c["dtype"] == "bf16" else t.float16
        from torch.nn.attention import SDPBackend, sdpa_kernel
        mk = lambda h, s: t.randn(c["b"], s, h, c["d"], device="cuda", dtype=dt).transpose(1, 2).requires_grad_(c["bwd"])
        q, k, v = mk(c["hq"], c["sq"]), mk(c["hkv"], c["sk"]), mk(c["hkv"], c["sk"]); gqa = c["hq"] != c["hkv"]
        if c["backend"] == "flex":
            from torch.nn.attention.flex_attention import create_block_mask, flex_attention
            import torch._dynamo, torch._functorch.config
            torch._dynamo.reset()                # one fresh compile a cell: past its recompile limit torch falls back silently to eager
            torch._functorch.config.donated_buffer = False            # else retain_graph is refused in the backward
            flex = t.compile(flex_attention, dynamic=False)
            win, bm = c["win"], None
            if c["causal"]:
                mod = (lambda b, h, i, j: (i >= j) & (i - j < win)) if win else (lambda b, h, i, j: i >= j)
                bm = create_block_mask(mod, None, None, c["sq"], c["sk"], device="cuda")
            call = lambda: flex(q, k, v, block_mask=bm, enable_gqa=gqa)
        else:
            be = {"cudnn": SDPBackend.CUDNN_ATTENTION, "flash": SDPBackend.FLASH_ATTENTION, "efficient": SDPBackend.EFFICIENT_ATTENTION}[c["backend"]]
            import torch.nn.functional as F
            kw = dict(is_causal=c["causal"], **({"enable_gqa": True} if gqa else {}))

            def call():
                with sdpa_kernel([be]): return F.scaled_dot_product_attention(q, k, v, **kw)
        with t.set_grad_enabled(c["bwd"]): out = call()
        if not bool(t.isfinite(out).all()): raise RuntimeError("output not finite")
        if c["bwd"]:
            g = t.randn_like(out)
            fn = lambda: t.autograd.grad(out, (q, k, v), g, retain_graph=True)
        else:
            del out

            def fn():
                with t.no_grad(): call()
        ms, mn, r = self.time(fn)
        es = 2
        flop = 4 * c["b"] * c["hq"] * visible(c) * c["d"] * (2.5 if c["bwd"] else 1)
        res = dict(ms=ms, min_ms=mn, reps=r, tflops=flop / ms / 1e9)
        if c["tag"] == "decode": res["tb_s"] = es * c["b"] * c["d"] * (2 * c["hkv"] * c["sk"] + 2 * c["hq"]) / ms / 1e9
        return res


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("out"); ap.add_argument("--minutes", type=float, default=5); ap.add_argument("--only", default=""); ap.add_argument("--dry", action="store_true")
    a = ap.parse_args(); cells = [c for c in grid() if a.only in json.dumps(c)]
    if a.dry:
        for i, c in enumerate(cells):
            f = 0 if c["backend"] == "ceiling" else 4 * c["b"] * c["hq"] * visible(c) * c["d"] * (2.5 if c["bwd"] else 1)
            print(i, " ".join("%s=%s" % kv for kv in c.items()), "GFLOP=%.0f" % (f / 1e9))
        return 0
    end = time.time() + a.minutes * 60
    os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "8")
    import torch
    r, done = Runner(), 0
    before = finished(a.out)
    cells = [c for c in cells if json.dumps(c, sort_keys=True) not in before]
    with open(a.out, "a") as f:
        def put(**kw): f.write(json.dumps(kw) + "\n"); f.flush()
        put(q="peer_env", torch=torch.__version__, cuda=torch.version.cuda, cudnn=torch.backends.cudnn.version(), gpu=torch.cuda.get_device_name(), capability=list(torch.cuda.get_device_capability()))
        for i, c in enumerate(cells):
            if time.time() > end: put(q="peer_stop", why="budget", done=i, of=len(cells)); break
            t0 = time.time()
            try: res = r.ceiling(c["tag"]) if c["backend"] == "ceiling" else r.attention(c)
            except Exception as e:
                res = dict(refused=str(e).strip().split("\n")[0][:160])
                if "CUDA error" in str(e): put(q="peer", **c, **res); put(q="peer_stop", why="CUDA error", done=i, of=len(cells)); return 1
            put(q="peer", **c, **{k: round(v, 5) if isinstance(v, float) else v for k, v in res.items()}, cell_s=round(time.time() - t0, 2)); done += 1
            if i % 20 == 19 or "refused" in res: torch.cuda.empty_cache()
    print("peers: %d of %d cells" % (done, len(cells)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
