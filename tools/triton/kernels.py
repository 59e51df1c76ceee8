"""An attention kernel in the Triton language for what Triton's own does not serve: any length, any head dim, several
query heads a KV head, and causal masks aligned at the bottom right."""

import triton
import triton.language as tl


@triton.jit
def masked_attention(q, k, v, out, lse, len_q, len_kv, dim, group, scale_log2, CAUSAL: tl.constexpr,
                     TILE_M: tl.constexpr, TILE_N: tl.constexpr, TILE_D: tl.constexpr):
    """q and out [heads, len_q, dim], k and v [heads / group, len_kv, dim], lse [heads, len_q] in powers of two."""
    head = tl.program_id(1)
    q += head * len_q * dim
    out += head * len_q * dim
    lse += head * len_q
    k += head // group * len_kv * dim
    v += head // group * len_kv * dim

    rows = tl.program_id(0) * TILE_M + tl.arange(0, TILE_M)
    columns = tl.arange(0, TILE_D)
    of_q = rows[:, None] * dim + columns[None, :]
    in_q = (rows[:, None] < len_q) & (columns[None, :] < dim)
    q_tile = tl.load(q + of_q, mask=in_q, other=0.0)

    shift = len_kv - len_q
    end = len_kv
    if CAUSAL:
        end = tl.minimum(len_kv, (tl.program_id(0) + 1) * TILE_M + shift)
    maximum = tl.full([TILE_M], float("-inf"), tl.float32)
    total = tl.zeros([TILE_M], tl.float32)
    sum_pv = tl.zeros([TILE_M, TILE_D], tl.float32)
    for first in range(0, end, TILE_N):
        keys = first + tl.arange(0, TILE_N)
        k_tile = tl.load(k + keys[None, :] * dim + columns[:, None],
                         mask=(keys[None, :] < len_kv) & (columns[:, None] < dim), other=0.0)
        scores = tl.dot(q_tile, k_tile) * scale_log2
        visible = keys[None, :] < len_kv
        if CAUSAL:
            visible = visible & (keys[None, :] <= rows[:, None] + shift)
        scores = tl.where(visible, scores, float("-inf"))
        new_maximum = tl.maximum(maximum, tl.max(scores, 1))
        # A row that has seen no key yet: -inf minus -inf would be NaN.
        subtracted = tl.where(new_maximum == float("-inf"), 0.0, new_maximum)
        p = tl.exp2(scores - subtracted[:, None])
        correction = tl.exp2(maximum - subtracted)
        v_tile = tl.load(v + keys[:, None] * dim + columns[None, :],
                         mask=(keys[:, None] < len_kv) & (columns[None, :] < dim), other=0.0)
        total = total * correction + tl.sum(p, 1)
        sum_pv = tl.dot(p.to(v_tile.dtype), v_tile, sum_pv * correction[:, None])
        maximum = new_maximum

    seen = total > 0.0
    result = sum_pv / tl.where(seen, total, 1.0)[:, None]
    tl.store(out + of_q, result.to(out.dtype.element_ty), mask=in_q)
    tl.store(lse + rows, tl.where(seen, maximum + tl.log2(total), float("-inf")), mask=rows < len_q)
