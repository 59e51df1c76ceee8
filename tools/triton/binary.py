"""Which kernels are compiled, and the shapes they run on."""

from dataclasses import dataclass

from triton.experimental.gluon.language import NVMMASharedLayout

import kernels
from compiled import compile_kernel, library_attention
from left_out import PROXY_FENCE, REGISTER_FENCE
from specialized import specialized_attention


@dataclass(frozen=True)
class Binary:
    """What is compiled once and run on several shapes."""

    kernel: str  # "library", "masked", "described" or "specialized"
    dtype: str
    capability: int
    causal: bool
    dim: int  # library: the head dim; otherwise: the tile that holds it
    tile_m: int = 64
    tile_n: int = 32
    stages: int = 3
    warps: int = 4
    left_out: tuple = ()

    @property
    def rows(self):
        """Of a block; tile_m: of its warps that work together."""
        return 2 * self.tile_m if self.kernel == "specialized" else self.tile_m

    @property
    def out_dtype(self):
        return "bf16" if self.dtype == "fp8e4nv" else self.dtype

    def __str__(self):
        return (f"{self.kernel}-{self.dtype}-sm_{self.capability}-{'causal' if self.causal else 'full'}-d{self.dim}"
                f"-{self.tile_m}x{self.tile_n}x{self.stages}")


@dataclass(frozen=True)
class Shape:
    heads: int
    len_q: int
    len_kv: int
    dim: int
    group: int = 1

    def __str__(self):
        return f"heads {self.heads}/{self.heads // self.group} len {self.len_q}/{self.len_kv} dim {self.dim}"


BOTH_FENCES = (PROXY_FENCE, REGISTER_FENCE)
WORK = [
    (Binary("library", "fp16", 80, True, 64, 128, 64), [Shape(2, 256, 256, 64)]),
    (Binary("library", "bf16", 80, False, 128, 64, 64), [Shape(1, 192, 192, 128)]),
    (Binary("library", "bf16", 89, True, 64), [Shape(3, 192, 192, 64)]),
    (Binary("library", "fp16", 89, False, 32, stages=4), [Shape(1, 64, 64, 32), Shape(1, 320, 320, 32)]),
    (Binary("masked", "fp16", 80, True, 64), [Shape(3, 67, 131, 64), Shape(1, 129, 65, 64), Shape(2, 1, 97, 64, 2)]),
    (Binary("masked", "bf16", 80, False, 128), [Shape(2, 65, 127, 80, 2), Shape(1, 33, 1, 128)]),
    (Binary("masked", "bf16", 89, True, 64, stages=2), [Shape(1, 200, 200, 40), Shape(3, 64, 96, 64, 3)]),
    (Binary("masked", "fp8e4nv", 89, True, 64, 64, 64), [Shape(2, 65, 161, 64), Shape(1, 127, 127, 48)]),
    (Binary("masked", "fp16", 89, False, 32, 16, 64, 4), [Shape(2, 31, 333, 32), Shape(1, 50, 50, 17)]),
    (Binary("library", "fp16", 90, True, 64, 128, 64, left_out=BOTH_FENCES), [Shape(2, 256, 256, 64)]),
    (Binary("library", "bf16", 90, False, 128, 128, 128, 2, 8, left_out=(PROXY_FENCE,)),
     [Shape(1, 384, 384, 128), Shape(1, 128, 128, 128)]),
    (Binary("library", "bf16", 90, True, 128, 64, 32, 4, left_out=BOTH_FENCES), [Shape(3, 192, 192, 128)]),
    (Binary("library", "fp16", 90, False, 64, 64, 64, left_out=(PROXY_FENCE,)), [Shape(2, 192, 192, 64)]),
    (Binary("masked", "bf16", 90, True, 64, 64, 64, left_out=(PROXY_FENCE,)),
     [Shape(3, 67, 131, 64), Shape(1, 129, 65, 40)]),
    (Binary("described", "fp16", 90, True, 64, 64, 64, 2),
     [Shape(3, 67, 131, 64), Shape(1, 129, 65, 64), Shape(2, 1, 97, 48, 2)]),
    (Binary("described", "bf16", 90, False, 128, 128, 64, 3, 8), [Shape(2, 200, 190, 128, 2), Shape(1, 33, 1, 80)]),
    (Binary("described", "bf16", 90, True, 128, 128, 128, 2, 8), [Shape(2, 257, 300, 128)]),
    (Binary("described", "fp16", 90, False, 32, 64, 64, 4), [Shape(2, 65, 333, 32), Shape(1, 50, 50, 24)]),
    (Binary("described", "bf16", 90, True, 16, 64, 32), [Shape(3, 96, 64, 16, 3)]),
    (Binary("specialized", "fp16", 90, True, 64, 64, 64, 2), [Shape(2, 131, 257, 64, 2), Shape(1, 200, 70, 40)]),
    (Binary("specialized", "bf16", 90, False, 128, 64, 64, 3), [Shape(1, 150, 500, 128)]),
    (Binary("described", "fp8e4nv", 90, True, 64, 64, 64), [Shape(2, 65, 161, 64), Shape(1, 127, 127, 48)]),
]


def _library_attention(binary, path):
    kernel = library_attention(path)
    ones = {"stride_qk", "stride_kk", "stride_vk", "stride_on"}
    constants = {"BLOCK_M": binary.tile_m, "BLOCK_N": binary.tile_n, "BLOCK_DMODEL": binary.dim,
                 "IS_CAUSAL": binary.causal, **{name: 1 for name in ones}}
    pointers = {"Q", "K", "V", "Out"}
    types = {name: "i32" for name in kernel.arg_names} | {name: "*" + binary.dtype for name in pointers}
    types |= {"L": "*fp32", "sm_scale": "fp32"}
    aligned = pointers | {"L"} | {name for name in kernel.arg_names if name.startswith("stride")} - ones
    return kernel, types, constants, aligned


def _own_attention(binary):
    kernel = {"masked": kernels.masked_attention, "described": kernels.described_attention,
              "specialized": specialized_attention}[binary.kernel]
    constants = {"CAUSAL": binary.causal, "TILE_M": binary.tile_m, "TILE_N": binary.tile_n, "TILE_D": binary.dim}
    if binary.kernel == "specialized":
        constants["STAGES"] = binary.stages
    types = {name: "i32" for name in kernel.arg_names} | {"lse": "*fp32", "scale_log2": "fp32"}
    tensors = {"q": (binary.dtype, binary.tile_m), "k": (binary.dtype, binary.tile_n),
               "v": (binary.dtype, binary.tile_n), "out": (binary.out_dtype, binary.tile_m)}
    if binary.kernel == "masked":
        types |= {name: "*" + dtype for name, (dtype, _) in tensors.items()}
        return kernel, types, constants, {*tensors, "lse"} | ({"dim"} if binary.dim >= 64 else set())
    layout = ""
    if binary.kernel == "specialized":  # the kernel says how tiles lie in shared memory
        layout = f",{NVMMASharedLayout(swizzle_byte_width=min(128, 2 * binary.dim), element_bitwidth=16, rank=3)!r}"
    types |= {name: f"tensordesc<{dtype}[1, {rows}, {binary.dim}]{layout}>" for name, (dtype, rows) in tensors.items()}
    return kernel, types, constants, {"lse"}


def compiled(binary, library):
    kernel, types, constants, aligned = (_library_attention(binary, library) if binary.kernel == "library"
                                         else _own_attention(binary))
    return compile_kernel(kernel, types, constants, binary.capability, aligned, binary.stages, binary.warps)
