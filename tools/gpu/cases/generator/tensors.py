"""cp.async.bulk.tensor: boxes of tensors of every rank and swizzle, inside, across each edge and outside; stores and
reductions. Rows have a gap behind them, so that strides are no products of extents."""

import itertools

from generator.copies import reductions
from generator.shared import ADDRESSES, copy_in, copy_out, declare, init_barrier, pattern, wait
from generator.writer import Output, TensorMap

BYTES = {"u8": 1, "u16": 2, "f16": 2, "bf16": 2, "u32": 4, "s32": 4, "f32": 4, "u64": 8, "s64": 8, "f64": 8}
LOAD = "cp.async.bulk.tensor.{}d.shared::cluster.global.tile.mbarrier::complete_tx::bytes{}"


def write(cases):
    for family in (loads_by_rank, loads_by_swizzle, other_loads, prefetches, stores, tensor_reductions):
        family(cases)


def box_bytes(tensor):
    size = BYTES[tensor.kind] * tensor.box[0]
    for extent, step in list(zip(tensor.box, tensor.steps or [1] * len(tensor.box)))[1:]:
        size *= -(-extent // step)
    return size


def tensor_bytes(tensor):
    size = tensor.pitch or BYTES[tensor.kind] * tensor.dims[0]
    for extent in tensor.dims[1:]:
        size *= extent
    return size


def tensor_of(kind, dims, box, swizzle=0, **options):
    """Rows 16 bytes and what makes them a multiple of 16 longer than their elements."""
    pitch = (BYTES[kind] * dims[0] + 31) // 16 * 16 if len(dims) > 1 else 0
    return TensorMap("in", kind, dims, box, pitch, swizzle, **options)


NAN = {"f16": b"\xff\x7f", "f32": b"\xff\xff\xff\x7f"}  # what the simulator takes
WHICH_NAN = "PTX ISA 9.0, section 5.5.3.3, does not say which NaN stands for elements out of bounds"


def places(tensor, corner):
    """Of every element of a box, its byte in shared memory, and in the tensor: None out of bounds."""
    size = BYTES[tensor.kind]
    strides = [size, *tensor.strides]
    steps = [1, *(tensor.steps or [1] * len(tensor.box))[1:]]
    counts = [-(-extent // step) for extent, step in zip(tensor.box, steps)]
    # The innermost coordinate runs fastest.
    for number, index in enumerate(itertools.product(*(range(count) for count in reversed(counts)))):
        at = [low + i * step for low, i, step in zip(corner, reversed(index), steps)]
        inside = all(0 <= x < extent for x, extent in zip(at, tensor.dims))
        shared = number * size
        if tensor.swizzle:
            # Chunks of 16 bytes are exchanged by the number of their line of 128 (PTX ISA 9.0, section 5.5.6).
            shared ^= (shared >> 7 & tensor.swizzle // 16 - 1) << 4
        yield shared, sum(x * stride for x, stride in zip(at, strides)) if inside else None


def loaded(tensor, data, corner):
    """What a box holds in shared memory."""
    size = BYTES[tensor.kind]
    box = bytearray(box_bytes(tensor))
    for shared, place in places(tensor, corner):
        outside = NAN[tensor.kind] if tensor.nan_fill else bytes(size)
        box[shared:shared + size] = outside if place is None else data[place:place + size]
    return bytes(box)


def stored(tensor, data, corner, box):
    """What the tensor holds with a box stored into it."""
    size = BYTES[tensor.kind]
    data = bytearray(data)
    for shared, place in places(tensor, corner):
        if place is not None:
            data[place:place + size] = box[shared:shared + size]
    return bytes(data)


def load(cases, title, tensor, corners, modifiers="", policy=""):
    """A box at each corner, one behind the other; as far as swizzles go they begin at multiples of 1024 bytes."""
    size = box_bytes(tensor)
    stride = -(-size // 1024) * 1024 if tensor.swizzle else -(-size // 128) * 128
    rank = len(tensor.dims)
    form = LOAD.format(rank, modifiers)
    issues = "\n".join(f"  @%p0 {form} [%m+{i * stride}], [%p_map, {{{', '.join(map(str, at))}}}], [%bar]{policy};"
                       for i, at in enumerate(corners))
    out = "\n".join(f"{copy_out('out', size, start=i * stride)}\n  add.u64 %p_out, %p_out, {size};"
                    for i in range(len(corners)))
    data = pattern(tensor_bytes(tensor))
    expected = b"".join(loaded(tensor, data, corner) for corner in corners)
    cases.write(f"{form} {title}".strip(), f"""{ADDRESSES}
{init_barrier()}
  createpolicy.fractional.L2::evict_last.b64 %d1, 1.0;
  @%p0 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%bar], {size * len(corners)};
{issues}
{wait()}
{out}""", {"in": data}, {"out": Output(size * len(corners), expected=expected)}, maps={"map": tensor},
                arch="sm_90a", registers=declare(stride * len(corners)),
                informative=WHICH_NAN if tensor.nan_fill else "")


def loads_by_rank(cases):
    """In the middle, over the low edge and over the high edge of every dimension."""
    dims, box = [12, 5, 4, 3, 3], [8, 3, 2, 2, 2]
    for rank in range(1, 6):
        tensor = tensor_of("bf16", dims[:rank], box[:rank])
        load(cases, "", tensor, [[1] * rank, [-3, -2, -1, -1, -1][:rank], [8, 3, 3, 2, 2][:rank]])


def loads_by_swizzle(cases):
    """Rows as long as the swizzle, enough of them for its pattern to repeat."""
    for swizzle in (32, 64, 128):
        rows = 1024 // swizzle + 2
        for kind in ("u8", "bf16", "f32"):
            columns = swizzle // BYTES[kind]
            tensor = tensor_of(kind, [columns + 16 // BYTES[kind], rows + 3], [columns, rows], swizzle)
            load(cases, f"{kind} swizzle {swizzle}", tensor, [[0, 0], [16 // BYTES[kind], 3], [-1, -2], [3, 5]])
        columns = swizzle // 2
        load(cases, f"swizzle {swizzle}", tensor_of("bf16", [columns + 8, 5, 4], [columns, 4, 3], swizzle),
             [[0, 0, 0], [5, 2, -1], [-5, -1, 2]])
        load(cases, f"swizzle {swizzle}", tensor_of("bf16", [columns + 8, 3, 4, 2], [columns, 2, 3, 2], swizzle),
             [[0, 0, 0, 0], [5, 2, -1, 1], [-5, -1, 2, -1]])


def other_loads(cases):
    load(cases, "wholly outside", tensor_of("bf16", [16, 8], [8, 4]), [[16, 0], [0, 8], [-8, -4], [1000, 1000]])
    load(cases, "NaN out of bounds", tensor_of("f16", [16, 8], [8, 4], nan_fill=True), [[12, 6], [-4, -2]])
    load(cases, "NaN out of bounds f32", tensor_of("f32", [16, 8], [8, 4], nan_fill=True), [[12, 6]])
    load(cases, "every third row", tensor_of("bf16", [32, 20], [32, 8], 64, steps=[1, 3]), [[0, 0], [8, 5], [0, 17]])
    load(cases, "cache hint", tensor_of("bf16", [16, 8], [8, 4]), [[4, 2]], ".L2::cache_hint", ", %d1")
    for kind in ("u16", "s32", "u32", "u64", "s64", "f64"):
        columns = 64 // BYTES[kind]
        load(cases, kind, tensor_of(kind, [columns, 6], [columns // 2, 4]), [[1, 1], [columns - 2, 4]])


def prefetches(cases):
    """Nothing to be seen but that the box is loaded afterwards."""
    tensor = tensor_of("bf16", [16, 8], [8, 4])
    form = LOAD.format(2, "")
    cases.write("cp.async.bulk.prefetch.tensor.2d.L2.global.tile", f"""{ADDRESSES}
{init_barrier()}
  prefetch.tensormap [%p_map];
  @%p0 cp.async.bulk.prefetch.tensor.2d.L2.global.tile [%p_map, {{4, 2}}];
  @%p0 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%bar], 64;
  @%p0 {form} [%m], [%p_map, {{4, 2}}], [%bar];
{wait()}
{copy_out("out", 64)}""", {"in": pattern(tensor_bytes(tensor))}, {"out": Output(64)}, maps={"map": tensor},
                arch="sm_90a", registers=declare(64))


def stores(cases):
    """In the middle and over the edges, where what is out of bounds is left alone."""
    shapes = [(1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (2, 32), (2, 64), (2, 128), (3, 64), (3, 128), (4, 128)]
    for rank, swizzle in shapes:
        columns = swizzle // 2 or 8
        rows = 1024 // swizzle + 2 if rank == 2 and swizzle else 3
        dims, box = [2 * columns + 4, rows + 4, 3, 2, 2], [columns, rows, 2, 1, 2]
        tensor = tensor_of("bf16", dims[:rank], box[:rank], swizzle)
        tensor.of = "out"
        _store(cases, "cp.async.bulk.tensor", "", tensor,
               [[0, 0, 0, 0, 0][:rank], [columns + 8, rows, 2, 1, -1][:rank]], swizzle)


def _store(cases, operation, reduction, tensor, corners, swizzle=0, source=None, before=None):
    rank, size = len(tensor.dims), box_bytes(tensor)
    stride = -(-size // 1024) * 1024 if swizzle else -(-size // 128) * 128
    form = f"{operation}.{rank}d.global.shared::cta{reduction}.tile.bulk_group"
    source = source or pattern(stride * len(corners), 3)
    issues = "\n".join(f"  @%p0 {form} [%p_map, {{{', '.join(map(str, at))}}}], [%m+{i * stride}];"
                       for i, at in enumerate(corners))
    title = f"{form}{f' {tensor.kind}' if reduction else ''}{f' swizzle {swizzle}' if swizzle else ''}"
    before = before or pattern(tensor_bytes(tensor))
    expected = b"" if reduction else before
    for i, corner in enumerate([] if reduction else corners):
        expected = stored(tensor, expected, corner, source[i * stride:])
    cases.write(title, f"""{ADDRESSES}
{copy_in("source", len(source))}
  setp.eq.u32 %p0, %lane, 0;
{issues}
  @%p0 cp.async.bulk.commit_group;
  @%p0 cp.async.bulk.wait_group 0;""", {"source": source},
                {"out": Output(len(before), before, expected=expected)}, maps={"map": tensor}, arch="sm_90a",
                registers=declare(len(source)))


def tensor_reductions(cases):
    """Every value meets every other: a row of the box is the list, the tensor's row the list turned by one more. The
    first column and the last row of the box are outside."""
    for operation, kind, values in reductions():
        operation = operation.removesuffix(".noftz")
        kind = kind.replace("b", "u") if kind[0] == "b" and kind != "bf16" else kind
        width, count = BYTES[kind], len(values)
        tensor = tensor_of(kind, [count, count], [count, count])
        tensor.of = "out"
        source = b"".join(value.to_bytes(width, "little") for value in values) * count
        before = b""
        for turn in range(count):
            row = b"".join(value.to_bytes(width, "little") for value in values[turn:] + values[:turn])
            before += row + pattern(tensor.pitch - len(row))
        _store(cases, "cp.reduce.async.bulk.tensor", f".{operation}", tensor, [[-1, 1]], source=source, before=before)
