"""A problem for one kernel, and the case file (tools/gpu/README.md) that run_ptx runs it from."""

import itertools
import math

import numpy as np

import reference

LOG2_E = math.log2(math.e)
MAP_TYPES = {"fp16": "f16", "bf16": "bf16", "fp8e4nv": "u8"}
ELEMENT_BYTES = {"fp16": 2, "bf16": 2, "fp8e4nv": 1}


def problem(binary, shape, seed):
    """Random inputs as bits, the scale, and what must come out."""
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
    expected = reference.attention(q, k, v, scale_log2, binary.causal, binary.dtype, binary.out_dtype)
    return tensors, scale, (*expected, v)


def _scalar(name, value, kind="s32"):
    return {"kind": "scalar", "name": name, "type": kind, "value": value}


def _descriptor(buffer, dtype, extents, box, swizzle):
    """What Triton passes for a tensor descriptor; the buffer is reached through its map alone."""
    strides = [extents[1] * extents[2], extents[2], 1]
    yield buffer | {"parameter": False}
    yield {"kind": "tensor_map", "name": f"{buffer['name']}_map", "of": buffer["name"], "type": MAP_TYPES[dtype],
           "dims": extents[::-1], "box": box[::-1], "swizzle": swizzle,
           "strides": [ELEMENT_BYTES[dtype] * stride for stride in strides[1::-1]]}
    yield from (_scalar(f"{buffer['name']}_extent{i}", extent) for i, extent in enumerate(extents))
    yield from (_scalar(f"{buffer['name']}_stride{i}", stride, "s64") for i, stride in enumerate(strides))


def _arguments(binary, kernel, shape, tensors, scale):
    """In the order of the kernel's parameters."""
    data = {name: {"kind": "buffer", "name": name, "data": bits.tobytes().hex()} for name, bits in tensors.items()}
    data["out"] = {"kind": "buffer", "name": "out", "bytes": 2 * shape.heads * shape.len_q * shape.dim, "expected": ""}
    data["lse"] = {"kind": "buffer", "name": "lse", "bytes": 4 * shape.heads * shape.len_q, "expected": ""}
    if binary.kernel == "library":
        strides = [shape.heads * shape.len_q * shape.dim, shape.len_q * shape.dim, shape.dim]
        return [data["q"], data["k"], data["v"], _scalar("sm_scale", scale, "f32"), data["lse"], data["out"],
                *(_scalar(f"stride_{tensor}{axis}", value) for tensor in "qkvo" for axis, value in zip("zhm", strides)),
                _scalar("Z", 1), _scalar("H", shape.heads), _scalar("N_CTX", shape.len_q),
                _scalar("Z_H_N_CTX", shape.heads * shape.len_q)]
    lengths = [_scalar("len_q", shape.len_q), _scalar("len_kv", shape.len_kv)]
    last = [_scalar("group", shape.group), _scalar("scale_log2", scale * LOG2_E, "f32")]
    if binary.kernel == "masked":
        return [data["q"], data["k"], data["v"], data["out"], data["lse"], *lengths, _scalar("dim", shape.dim), *last]
    of_q, of_kv = [shape.heads, shape.len_q, shape.dim], [shape.heads // shape.group, shape.len_kv, shape.dim]
    tensors = [("q", binary.dtype, of_q), ("k", binary.dtype, of_kv), ("v", binary.dtype, of_kv),
               ("out", binary.out_dtype, of_q)]
    described = (_descriptor(data[name], dtype, extents, *box)
                 for (name, dtype, extents), box in zip(tensors, kernel.boxes))
    return [*itertools.chain(*described), data["lse"], *lengths, *last]


def case(name, binary, kernel, shape, tensors, scale):
    scratch = [_scalar(f"scratch{i}", 0, "u64") for i in range(kernel.scratch_parameters)]
    return {"form": name, "arch": f"sm_{binary.capability}", "entry": kernel.entry, "block": [kernel.threads, 1, 1],
            "grid": [-(-shape.len_q // binary.rows), shape.heads, 1], "shared_bytes": kernel.shared_bytes,
            "arguments": _arguments(binary, kernel, shape, tensors, scale) + scratch}
