"""A conformance case, NAME.ptx beside NAME.json: an instruction form or forms of one kind, their inputs, and the
bytes that must come out. The format is described in tools/gpu/README.md."""

import ctypes
import hashlib
import json
import math
import struct
from dataclasses import dataclass, field

# Bits, mantissa bits of the types a tolerance can be stated in; integers have no mantissa.
TYPES = {"u8": (8, None), "u16": (16, None), "u32": (32, None), "u64": (64, None), "f16": (16, 10), "bf16": (16, 7),
         "f32": (32, 23), "f64": (64, 52)}
SCALARS = {"u8": ctypes.c_uint8, "u16": ctypes.c_uint16, "u32": ctypes.c_uint32, "u64": ctypes.c_uint64,
           "s32": ctypes.c_int32, "s64": ctypes.c_int64, "f32": ctypes.c_float, "f64": ctypes.c_double}
LETTERS = {8: "B", 16: "H", 32: "I", 64: "Q"}


class CaseError(ValueError):
    pass


@dataclass
class Buffer:
    name: str
    size: int  # bytes
    data: bytes  # before the launch; what it does not reach is poison
    expected: bytes | None  # after it; None: not compared
    kind: str = "u8"
    tolerance_ulp: int = 0
    parameter: bool = True  # False: the kernel reaches it through a tensor map alone


@dataclass
class Scalar:
    name: str
    value: object  # a ctypes value


@dataclass
class TensorMap:
    name: str
    of: str  # the buffer it describes
    kind: str
    dims: list
    strides: list
    box: list
    swizzle: int
    steps: list | None = None  # every how many-th element of a dimension is copied; None: every one
    nan_fill: bool = False  # out of bounds; otherwise zeros


@dataclass
class Case:
    name: str
    form: str  # the instruction form it is about, or a name for several of one kind
    ptx: bytes
    entry: str
    arch: str  # the least target it runs on: "sm_80"; "sm_90a" runs on 9.0 alone
    grid: tuple
    block: tuple
    cluster: tuple
    shared_bytes: int
    informative: str = ""  # why other bytes are no mistake of the simulator's
    arguments: list = field(default_factory=list)

    @property
    def digest(self):
        """Of everything that decides what is launched and how the result is judged."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:8]


def _triple(given, name):
    values = tuple(given.get(name, (1, 1, 1)))
    if len(values) != 3 or not all(isinstance(value, int) and value > 0 for value in values):
        raise CaseError(f"{name} must be three positive integers")
    return values


def _argument(given):
    kind = given["kind"]
    if kind == "scalar":
        return Scalar(given["name"], SCALARS[given["type"]](given["value"]))
    if kind == "tensor_map":
        return TensorMap(given["name"], given["of"], given["type"], given["dims"], given["strides"], given["box"],
                         given["swizzle"], given.get("steps"), given.get("nan_fill", False))
    if kind != "buffer":
        raise CaseError(f"an argument of kind '{kind}'; use buffer, scalar or tensor_map")
    data = bytes.fromhex(given.get("data", ""))
    expected = bytes.fromhex(given["expected"]) if "expected" in given else None
    size = given.get("bytes", max(len(data), len(expected or b"")))
    if len(data) > size or (expected is not None and len(expected) != size):
        raise CaseError(f"buffer {given['name']} has {size} bytes; its data must fit and its expected bytes fill it")
    buffer = Buffer(given["name"], size, data, expected, given.get("type", "u8"), given.get("tolerance_ulp", 0),
                    given.get("parameter", True))
    if buffer.kind not in TYPES or size * 8 % TYPES[buffer.kind][0]:
        raise CaseError(f"buffer {buffer.name} is of type '{buffer.kind}'; use one of {', '.join(TYPES)} that fits it")
    if buffer.tolerance_ulp and TYPES[buffer.kind][1] is None:
        raise CaseError(f"buffer {buffer.name} states a tolerance but is no floating-point type")
    return buffer


def load(path):
    """The case of NAME.json. Raises CaseError naming what is wrong."""
    try:
        given = json.loads(path.read_text())
        case = Case(name=path.stem, form=given["form"], ptx=path.with_suffix(".ptx").read_bytes(),
                    entry=given["entry"], arch=given["arch"], grid=_triple(given, "grid"),
                    block=_triple(given, "block"), cluster=_triple(given, "cluster"),
                    shared_bytes=given.get("shared_bytes", 0), informative=given.get("informative", ""),
                    arguments=[_argument(each) for each in given["arguments"]])
    except CaseError as error:
        raise CaseError(f"{path.name}: {error}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CaseError(f"{path.name}: {type(error).__name__} {error}") from None
    if not any(isinstance(each, Buffer) and each.expected is not None for each in case.arguments):
        raise CaseError(f"{path.name}: no buffer states what is expected, so nothing would be compared")
    return case


def _ordered(bits, width, mantissa):
    """Floating-point bits as integers in the order of their values, or None for a NaN: neighbours differ by one."""
    magnitude = bits & ((1 << (width - 1)) - 1)
    infinity = ((1 << (width - 1 - mantissa)) - 1) << mantissa
    if magnitude > infinity:
        return None
    return -magnitude if bits >> (width - 1) else magnitude


def _ulps(want, got, width, mantissa):
    a, b = _ordered(want, width, mantissa), _ordered(got, width, mantissa)
    if a is None or b is None:
        return 0 if a is b else math.inf
    infinity = ((1 << (width - 1 - mantissa)) - 1) << mantissa
    # An infinity is one step from the largest number and yet no approximation of it.
    return math.inf if a != b and infinity in (abs(a), abs(b)) else abs(a - b)


def differences(buffer, got):
    """{"wrong", "of", "worst_ulp", "first": {"index", "want", "got"}} in elements; wrong is 0 where all is well."""
    width, mantissa = TYPES[buffer.kind]
    letter, count = LETTERS[width], buffer.size * 8 // width
    wants = struct.unpack(f"<{count}{letter}", buffer.expected)
    gots = struct.unpack(f"<{count}{letter}", got)
    wrong, worst, first = 0, 0, None
    for index, (want, have) in enumerate(zip(wants, gots)):
        if want == have:
            continue
        distance = math.inf if mantissa is None else _ulps(want, have, width, mantissa)
        worst = max(worst, distance)
        if not buffer.tolerance_ulp or distance > buffer.tolerance_ulp:
            wrong += 1
            first = first or {"index": index, "want": f"{want:#x}", "got": f"{have:#x}"}
    return {"wrong": wrong, "of": count, "worst_ulp": None if worst == math.inf else worst, "first": first}
