"""Attention kernels in the Triton language for what Triton's own does not serve: any length, any head dim, several
query heads a KV head, and causal masks aligned at the bottom right. One loads and stores through pointers, the other
through tensor descriptors that the host makes."""

import triton
import triton.language as tl


@triton.jit
def last_key(first_row, len_q, len_kv, CAUSAL: tl.constexpr, TILE_M: tl.constexpr):
    end = len_kv
    if CAUSAL:
        end = tl.minimum(len_kv, first_row + TILE_M + len_kv - len_q)
    return end


@triton.jit
def visible_scores(scores, rows, keys, len_q, len_kv, CAUSAL: tl.constexpr):
    visible = keys[None, :] < len_kv
    if CAUSAL:
        visible = visible & (keys[None, :] <= rows[:, None] + len_kv - len_q)
    return tl.where(visible, scores, float("-inf"))


@triton.jit
def softmax(scores, maximum, total):
    """(probabilities, what to rescale earlier results by, new maximum, new total) of a tile of scores."""
    new_maximum = tl.maximum(maximum, tl.max(scores, 1))
    # A row that has seen no key yet: -inf minus -inf would be NaN.
    subtracted = tl.where(new_maximum == float("-inf"), 0.0, new_maximum)
    p = tl.exp2(scores - subtracted[:, None])
    correction = tl.exp2(maximum - subtracted)
    return p, correction, new_maximum, total * correction + tl.sum(p, 1)


@triton.jit
def result_and_lse(sum_pv, maximum, total):
    seen = total > 0.0
    return (sum_pv / tl.where(seen, total, 1.0)[:, None],
            tl.where(seen, maximum + tl.log2(total), float("-inf")))


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

    first_row = tl.program_id(0) * TILE_M
    rows = first_row + tl.arange(0, TILE_M)
    columns = tl.arange(0, TILE_D)
    of_q = rows[:, None] * dim + columns[None, :]
    in_q = (rows[:, None] < len_q) & (columns[None, :] < dim)
    q_tile = tl.load(q + of_q, mask=in_q, other=0.0)

    maximum = tl.full([TILE_M], float("-inf"), tl.float32)
    total = tl.zeros([TILE_M], tl.float32)
    sum_pv = tl.zeros([TILE_M, TILE_D], tl.float32)
    for first in range(0, last_key(first_row, len_q, len_kv, CAUSAL, TILE_M), TILE_N):
        keys = first + tl.arange(0, TILE_N)
        k_tile = tl.load(k + keys[None, :] * dim + columns[:, None],
                         mask=(keys[None, :] < len_kv) & (columns[:, None] < dim), other=0.0)
        scores = visible_scores(tl.dot(q_tile, k_tile) * scale_log2, rows, keys, len_q, len_kv, CAUSAL)
        p, correction, maximum, total = softmax(scores, maximum, total)
        v_tile = tl.load(v + keys[:, None] * dim + columns[None, :],
                         mask=(keys[:, None] < len_kv) & (columns[None, :] < dim), other=0.0)
        sum_pv = tl.dot(p.to(v_tile.dtype), v_tile, sum_pv * correction[:, None])

    result, row_lse = result_and_lse(sum_pv, maximum, total)
    tl.store(out + of_q, result.to(out.dtype.element_ty), mask=in_q)
    tl.store(lse + rows, row_lse, mask=rows < len_q)


@triton.jit
def described_attention(q, k, v, out, lse, len_q, len_kv, group, scale_log2, CAUSAL: tl.constexpr,
                        TILE_M: tl.constexpr, TILE_N: tl.constexpr, TILE_D: tl.constexpr):
    """masked_attention with q, k, v and out as tensor descriptors, whose blocks are [1, TILE_M or TILE_N, TILE_D]."""
    head = tl.program_id(1)
    first_row = tl.program_id(0) * TILE_M
    rows = first_row + tl.arange(0, TILE_M)
    q_tile = q.load([head, first_row, 0]).reshape(TILE_M, TILE_D)

    maximum = tl.full([TILE_M], float("-inf"), tl.float32)
    total = tl.zeros([TILE_M], tl.float32)
    sum_pv = tl.zeros([TILE_M, TILE_D], tl.float32)
    for first in range(0, last_key(first_row, len_q, len_kv, CAUSAL, TILE_M), TILE_N):
        keys = first + tl.arange(0, TILE_N)
        k_tile = k.load([head // group, first, 0]).reshape(TILE_N, TILE_D)
        scores = visible_scores(tl.dot(q_tile, k_tile.T) * scale_log2, rows, keys, len_q, len_kv, CAUSAL)
        p, correction, maximum, total = softmax(scores, maximum, total)
        v_tile = v.load([head // group, first, 0]).reshape(TILE_N, TILE_D)
        sum_pv = tl.dot(p.to(v_tile.dtype), v_tile, sum_pv * correction[:, None])

    result, row_lse = result_and_lse(sum_pv, maximum, total)
    out.store([head, first_row, 0], result.to(out.dtype).reshape(1, TILE_M, TILE_D))
    tl.store(lse + head * len_q + rows, row_lse, mask=rows < len_q)
