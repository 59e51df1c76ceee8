"""Attention in float64 on the rounded inputs, and how far a kernel may be from it."""

import numpy as np


# The finite magnitudes of e4m3, by their 7 bits: a mantissa of 3, a bias of 7, no infinity.
E4M3 = np.array([(m if e == 0 else 8 + m) * 2.0 ** (max(e, 1) - 10) for e in range(16) for m in range(8)][:-1])


def to_bits(values, dtype):
    """float64 -> the bits of fp16, bf16 or fp8e4nv, rounded to nearest even."""
    if dtype == "fp8e4nv":
        magnitude = np.minimum(np.abs(values), E4M3[-1])
        step = np.exp2(np.maximum(np.frexp(magnitude)[1] - 1, -6) - 3.0)
        index = np.searchsorted(E4M3, np.rint(magnitude / step) * step)
        return (index | np.signbit(values) << 7).astype(np.uint8)
    if dtype == "fp16":
        return values.astype(np.float16).view(np.uint16)
    bits = values.astype(np.float32).view(np.uint32).astype(np.uint64)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def from_bits(bits, dtype):
    if dtype == "fp8e4nv":
        return np.where(bits & 0x80, -1, 1) * E4M3[bits & 0x7F]
    if dtype == "fp16":
        return bits.view(np.float16).astype(np.float64)
    return (bits.astype(np.uint32) << 16).view(np.float32).astype(np.float64)


def rounded(values, dtype):
    return from_bits(to_bits(values, dtype), dtype)


def _softmax(scores):
    """2^(scores - row maximum), rows that see nothing 0; and the maximum of each row, 0 there."""
    maximum = scores.max(-1, keepdims=True)
    maximum = np.where(np.isfinite(maximum), maximum, 0)
    return np.exp2(scores - maximum), maximum[..., 0]


def attention(q, k, v, scale_log2, causal, dtype, out_dtype):
    """q [heads, len_q, d], k and v [heads, len_kv, d]: (exact output, exact LSE in powers of two, naive output). Naive:
    scores in float32, probabilities rounded to dtype before the second product, the output to out_dtype."""
    scores = np.einsum("hid,hjd->hij", q, k) * scale_log2
    if causal:
        len_q, len_kv = scores.shape[1:]
        unseen = np.arange(len_kv)[None, :] > np.arange(len_q)[:, None] + len_kv - len_q
        scores = np.where(unseen, -np.inf, scores)

    def output(p):
        total = p.sum(-1)
        return np.where(total > 0, total, 1)[..., None], total

    p, maximum = _softmax(scores)
    divisor, total = output(p)
    exact = np.einsum("hij,hjd->hid", p, v) / divisor
    with np.errstate(divide="ignore"):
        lse = np.where(total > 0, maximum + np.log2(total), -np.inf)
    p32, _ = _softmax(scores.astype(np.float32).astype(np.float64))
    divisor, _ = output(p32)
    naive = rounded(np.einsum("hij,hjd->hid", rounded(p32, dtype), v) / divisor, out_dtype)
    return exact, lse, naive


def fault(got, got_lse, exact, lse, naive, v, dtype, score_bits):
    """Why the result is wrong, "" where it is right: within twice the error of the naive computation, one unit in the
    last place of the output, and what float32 scores cost. score_bits: how good those are."""
    if not np.isfinite(got).all():
        return f"{np.count_nonzero(~np.isfinite(got))} outputs are not finite"
    mantissa = 10 if dtype == "fp16" else 7
    ulp = 2.0 ** (np.floor(np.log2(np.abs(exact).max())) - mantissa)
    largest = np.abs(lse[np.isfinite(lse)]).max()
    tiny = 2.0**-22 * (1 + largest) * np.abs(v).max()
    bound = 2 * np.abs(naive - exact).max() + ulp + tiny
    error = np.abs(got - exact).max()
    if error > bound:
        return f"an output is off by {error:.3g}, and {bound:.3g} is the bound"
    if not np.array_equal(np.isfinite(lse), np.isfinite(got_lse)):
        return "rows without a visible key have a finite LSE, or others none"
    seen = np.isfinite(lse)
    off = np.abs(got_lse[seen] - lse[seen]).max()
    allowed = 1e-5 + 2.0**-score_bits * (1 + largest)
    return f"an LSE is off by {off:.3g}, and {allowed:.3g} is the bound" if off > allowed else ""
