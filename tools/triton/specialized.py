"""Attention with a producer and two consumer warpgroups, in Gluon, Triton's lower language: there the kernel says what is
copied where and who waits for whom, and the compiler writes the dispatch of warps, setmaxnreg and the rest."""

from triton.experimental import gluon
from triton.experimental.gluon import language as gl
from triton.experimental.gluon.language.nvidia.hopper import (fence_async_shared, mbarrier, tma, warpgroup_mma,
                                                              warpgroup_mma_wait)


@gluon.jit
def key_tiles(len_q, len_kv, CAUSAL: gl.constexpr, TILE_M: gl.constexpr, TILE_N: gl.constexpr):
    """Of the two row tiles of a block."""
    end = len_kv
    if CAUSAL:
        end = gl.minimum(len_kv, (gl.program_id(0) + 1) * 2 * TILE_M + len_kv - len_q)
    return (gl.maximum(end, 0) + TILE_N - 1) // TILE_N


@gluon.jit
def produce(q, k, v, out, lse, tiles, barriers, len_q, len_kv, group, scale_log2, CAUSAL: gl.constexpr,
            TILE_M: gl.constexpr, TILE_N: gl.constexpr, TILE_D: gl.constexpr, STAGES: gl.constexpr):
    q_tiles, k_tiles, v_tiles = tiles
    q_full, k_full, k_empty, v_full, v_empty = barriers
    head = gl.program_id(1)
    for i in gl.static_range(2):
        mbarrier.expect(q_full.index(i), q.block_type.nbytes)
        tma.async_copy_global_to_shared(q, [head, (gl.program_id(0) * 2 + i) * TILE_M, 0], q_full.index(i),
                                        q_tiles.index(i))
    for i in range(key_tiles(len_q, len_kv, CAUSAL, TILE_M, TILE_N)):
        stage = i % STAGES
        parity = (i // STAGES & 1) ^ 1
        at = [head // group, i * TILE_N, 0]
        mbarrier.wait(k_empty.index(stage), parity)
        mbarrier.expect(k_full.index(stage), k.block_type.nbytes)
        tma.async_copy_global_to_shared(k, at, k_full.index(stage), k_tiles.index(stage))
        mbarrier.wait(v_empty.index(stage), parity)
        mbarrier.expect(v_full.index(stage), v.block_type.nbytes)
        tma.async_copy_global_to_shared(v, at, v_full.index(stage), v_tiles.index(stage))


@gluon.jit
def consume(out, lse, tiles, barriers, len_q, len_kv, scale_log2, consumer, CAUSAL: gl.constexpr, TILE_M: gl.constexpr,
            TILE_N: gl.constexpr, TILE_D: gl.constexpr, STAGES: gl.constexpr):
    q_tiles, k_tiles, v_tiles = tiles
    q_full, k_full, k_empty, v_full, v_empty = barriers
    of_scores: gl.constexpr = gl.NVMMADistributedLayout([3, 0], [4, 1], [16, TILE_N, 16])
    of_result: gl.constexpr = gl.NVMMADistributedLayout([3, 0], [4, 1], [16, TILE_D, 16])
    of_p: gl.constexpr = gl.DotOperandLayout(0, of_result, 2)
    rows_of_scores: gl.constexpr = gl.SliceLayout(1, of_scores)
    rows_of_result: gl.constexpr = gl.SliceLayout(1, of_result)
    head = gl.program_id(1)
    first_row = (gl.program_id(0) * 2 + consumer) * TILE_M
    rows = first_row + gl.arange(0, TILE_M, rows_of_scores)
    maximum = gl.full([TILE_M], float("-inf"), gl.float32, rows_of_scores)
    total = gl.full([TILE_M], 0.0, gl.float32, rows_of_scores)
    sum_pv = gl.full([TILE_M, TILE_D], 0.0, gl.float32, of_result)
    zero = gl.full([TILE_M, TILE_N], 0.0, gl.float32, of_scores)
    q_tile = q_tiles.index(consumer)
    mbarrier.wait(q_full.index(consumer), 0)
    for i in range(key_tiles(len_q, len_kv, CAUSAL, TILE_M, TILE_N)):
        stage = i % STAGES
        parity = i // STAGES & 1
        mbarrier.wait(k_full.index(stage), parity)
        k_tile = k_tiles.index(stage).reshape([TILE_N, TILE_D]).permute([1, 0])
        scores = warpgroup_mma(q_tile.reshape([TILE_M, TILE_D]), k_tile, zero, use_acc=False, is_async=True)
        scores = warpgroup_mma_wait(0, [scores])
        mbarrier.arrive(k_empty.index(stage))
        keys = i * TILE_N + gl.arange(0, TILE_N, gl.SliceLayout(0, of_scores))
        visible = keys[None, :] < len_kv
        if CAUSAL:
            visible = visible & (keys[None, :] <= rows[:, None] + len_kv - len_q)
        scores = gl.where(visible, scores * scale_log2, float("-inf"))
        new_maximum = gl.maximum(maximum, gl.max(scores, 1))
        # A row that has seen no key yet: -inf minus -inf would be NaN.
        subtracted = gl.where(new_maximum == float("-inf"), 0.0, new_maximum)
        p = gl.exp2(scores - subtracted[:, None])
        correction = gl.exp2(maximum - subtracted)
        total = total * correction + gl.sum(p, 1)
        maximum = new_maximum
        sum_pv = sum_pv * gl.convert_layout(correction, rows_of_result)[:, None]
        mbarrier.wait(v_full.index(stage), parity)
        sum_pv = warpgroup_mma(gl.convert_layout(p.to(out.dtype), of_p),
                               v_tiles.index(stage).reshape([TILE_N, TILE_D]), sum_pv, is_async=True)
        sum_pv = warpgroup_mma_wait(0, [sum_pv])
        mbarrier.arrive(v_empty.index(stage))

    seen = total > 0.0
    result = sum_pv / gl.convert_layout(gl.where(seen, total, 1.0), rows_of_result)[:, None]
    # Through the memory of Q, which is no longer needed.
    q_tile.reshape([TILE_M, TILE_D]).store(result.to(out.dtype))
    fence_async_shared()
    gl.thread_barrier()
    tma.async_copy_shared_to_global(out, [head, first_row, 0], q_tile)
    tma.store_wait(0)
    gl.store(lse + head * len_q + rows, gl.where(seen, maximum + gl.log2(total), float("-inf")), mask=rows < len_q)


@gluon.jit
def first_consumer(q, k, v, out, lse, tiles, barriers, len_q, len_kv, group, scale_log2, CAUSAL: gl.constexpr,
                   TILE_M: gl.constexpr, TILE_N: gl.constexpr, TILE_D: gl.constexpr, STAGES: gl.constexpr):
    consume(out, lse, tiles, barriers, len_q, len_kv, scale_log2, 0, CAUSAL, TILE_M, TILE_N, TILE_D, STAGES)


@gluon.jit
def second_consumer(q, k, v, out, lse, tiles, barriers, len_q, len_kv, group, scale_log2, CAUSAL: gl.constexpr,
                    TILE_M: gl.constexpr, TILE_N: gl.constexpr, TILE_D: gl.constexpr, STAGES: gl.constexpr):
    consume(out, lse, tiles, barriers, len_q, len_kv, scale_log2, 1, CAUSAL, TILE_M, TILE_N, TILE_D, STAGES)


@gluon.jit
def specialized_attention(q, k, v, out, lse, len_q, len_kv, group, scale_log2, CAUSAL: gl.constexpr,
                          TILE_M: gl.constexpr, TILE_N: gl.constexpr, TILE_D: gl.constexpr, STAGES: gl.constexpr):
    """kernels.described_attention, two row tiles a block."""
    tiles = (gl.allocate_shared_memory(q.dtype, [2, 1, TILE_M, TILE_D], q.layout),
             gl.allocate_shared_memory(k.dtype, [STAGES, 1, TILE_N, TILE_D], k.layout),
             gl.allocate_shared_memory(v.dtype, [STAGES, 1, TILE_N, TILE_D], v.layout))
    q_full = gl.allocate_shared_memory(gl.int64, [2, 1], mbarrier.MBarrierLayout())
    k_full = gl.allocate_shared_memory(gl.int64, [STAGES, 1], mbarrier.MBarrierLayout())
    k_empty = gl.allocate_shared_memory(gl.int64, [STAGES, 1], mbarrier.MBarrierLayout())
    v_full = gl.allocate_shared_memory(gl.int64, [STAGES, 1], mbarrier.MBarrierLayout())
    v_empty = gl.allocate_shared_memory(gl.int64, [STAGES, 1], mbarrier.MBarrierLayout())
    for i in gl.static_range(2):
        mbarrier.init(q_full.index(i), count=1)
    for i in gl.static_range(STAGES):
        mbarrier.init(k_full.index(i), count=1)
        mbarrier.init(k_empty.index(i), count=2)
        mbarrier.init(v_full.index(i), count=1)
        mbarrier.init(v_empty.index(i), count=2)
    barriers = (q_full, k_full, k_empty, v_full, v_empty)
    # The arguments twice: assigned to a name, constants would become run-time values. Four warps produce, though one
    # would do: Triton fills that up to a warpgroup with others, and their setmaxnreg is not the producer's.
    gl.warp_specialize((q, k, v, out, lse, tiles, barriers, len_q, len_kv, group, scale_log2, CAUSAL, TILE_M, TILE_N,
                        TILE_D, STAGES), first_consumer,
                       (q, k, v, out, lse, tiles, barriers, len_q, len_kv, group, scale_log2, CAUSAL, TILE_M, TILE_N,
                        TILE_D, STAGES), [second_consumer, produce], [4, 4], [232, 24])
