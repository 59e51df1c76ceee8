"""Triton kernels to PTX without a GPU."""

import importlib.util
import re
import sys
import types
from dataclasses import dataclass

from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from triton.compiler import compile as triton_compile
from triton.experimental.gluon._runtime import GluonASTSource


@dataclass
class Compiled:
    ptx: str
    entry: str
    threads: int
    shared_bytes: int
    scratch_parameters: int  # pointers Triton adds at the end; null, for these kernels use none
    boxes: list  # of the parameters that are tensor descriptors: (sides, outermost first; swizzle in bytes)


def library_attention(path):
    """The forward kernel of Triton's library. Its file imports torch for a wrapper nobody calls here."""
    torch = types.ModuleType("torch")
    torch.autograd = types.SimpleNamespace(Function=type("Function", (), {"apply": None}))
    sys.modules.setdefault("torch", torch)
    sys.modules.setdefault("triton.ops", types.ModuleType("triton.ops"))
    spec = importlib.util.spec_from_file_location("triton.ops.flash_attention", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module._fwd_kernel


def parameters_of(kind):
    """How many parameters of the PTX one of the kernel becomes: a descriptor is a map, its extents and its strides."""
    if kind == "constexpr":
        return 0
    box = re.match(r"tensordesc<\w+\[([^]]*)\]", kind)
    return 1 + 2 * (box[1].count(",") + 1) if box else 1


def compile_kernel(kernel, types_of, constants, capability, aligned, stages=3, warps=4):
    """types_of: parameter -> "*fp16", "i32"...; aligned: parameters whose value is a multiple of 16."""
    names = kernel.arg_names
    signature = {name: "constexpr" if name in constants else types_of[name] for name in names}
    constexprs = {(names.index(name),): value for name, value in constants.items()}
    attributes = {(names.index(name),): [["tt.divisibility", 16]] for name in aligned}
    make_source = GluonASTSource if kernel.is_gluon() else ASTSource
    source = make_source(kernel, signature, constexprs=constexprs, attrs=attributes)
    binary = triton_compile(source, target=GPUTarget("cuda", capability, 32),
                            options={"num_warps": warps, "num_stages": stages})
    ptx = binary.asm["ptx"]
    begin = ptx.index(".visible .entry")
    given = sum(parameters_of(kind) for kind in signature.values())
    # The numbers of CUtensorMapSwizzle, doubled from 16 bytes: 0 is none.
    boxes = [(each["block_size"], each["swizzle"] and 16 << each["swizzle"])
             for each in binary.metadata.tensordesc_meta or []]
    return Compiled(ptx=ptx, entry=binary.metadata.name, threads=32 * binary.metadata.num_warps, shared_bytes=binary.metadata.shared,
                    scratch_parameters=ptx.count("_param_", begin, ptx.index("{", begin)) - given, boxes=boxes)
