"""cvt between every two types: forms that round alike from one type stand in one kernel."""

from generator.values import BF16, F16, F64, FINITE, S16, S32, S64, operands

INTEGERS = [f"{sign}{bits}" for sign in "us" for bits in (8, 16, 32, 64)]
ROUNDINGS = ("rn", "rz", "rm", "rp")
INTEGRAL = ("rni", "rzi", "rmi", "rpi")
EDGES = [0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000]
# Around the ends of the integers, and halves.
DOUBLES = F64[:4] + [0x41DFFFFFFFC00000, 0x41E0000000000000, 0xC1E0000000200000, 0x41F0000000000000, 0x43E0000000000000,
                     0xC3E0000000000000, 0x43F0000000000000, 0x3FE0000000000000, 0xBFE0000000000000, 0x4004000000000000,
                     0x7FF0000000000000, 0xFFF0000000000000, 0x36A0000000000000, 0x380FFFFFFFFFFFFF, 0x47EFFFFFF0000000]
SINGLES = FINITE + [0x7F800000, 0xFF800000]
# Values by type; which NaN a conversion to a double gives depends on the simulator's host, so there is none.
VALUES = {"f16": [each for each in F16 if each & 0x7FFF <= 0x7C00], "f32": SINGLES, "f64": DOUBLES,
          "bf16": [each for each in BF16 if each & 0x7FFF <= 0x7F80]}


def register_bits(kind):
    return max(16, int(kind.lstrip("usbf")))


def values(kind):
    return VALUES.get(kind) or {16: S16, 32: S32 + EDGES, 64: S64 + EDGES}[register_bits(kind)]


def together(cases, title, source, forms, **options):
    """forms: opcodes that convert from `source`; those of one width of result in one kernel."""
    by_width = {}
    for form in forms:
        if form not in cases.forms:
            by_width.setdefault(register_bits(form.split(".")[-2]), []).append(form)
    for width, opcodes in by_width.items():
        cases.together(f"{title} to {width} bits", width, [register_bits(source)], operands(values(source)), opcodes,
                       arch="sm_90", **options)


def write(cases):
    for source in INTEGERS:
        narrower = [f"cvt.sat.{to}.{source}" for to in INTEGERS if to != source and clips(to, source)]
        together(cases, f"cvt integers from {source}", source,
                 [f"cvt.{to}.{source}" for to in INTEGERS if to != source] + narrower)
        floats = ["f16", "f32", "f64"] + (["bf16"] if source[1:] != "8" else [])
        together(cases, f"cvt floats from {source}", source,
                 [f"cvt.{rounding}.{to}.{source}" for to in floats for rounding in ROUNDINGS])
    for source in ("f16", "f32", "f64", "bf16"):
        modes = [".ftz", ""] if source == "f32" else [""]
        together(cases, f"cvt integers from {source}", source,
                 [f"cvt.{rounding}{ftz}.{to}.{source}" for to in INTEGERS for rounding in INTEGRAL for ftz in modes
                  if (source, to[1:]) != ("bf16", "8")])
        together(cases, f"cvt integral values of {source}", source,
                 [f"cvt.{rounding}.{source}.{source}" for rounding in INTEGRAL if source != "bf16"])
    together(cases, "cvt widening from f16", "f16", ["cvt.f32.f16", "cvt.f64.f16", "cvt.ftz.f32.f16"])
    together(cases, "cvt widening from bf16", "bf16", ["cvt.f64.bf16"])
    together(cases, "cvt widening from f32", "f32", ["cvt.f64.f32", "cvt.ftz.f64.f32", "cvt.sat.f32.f32",
                                                     "cvt.ftz.f32.f32"])
    together(cases, "cvt narrowing from f64", "f64",
             [f"cvt.{rounding}.{to}.f64" for to in ("f32", "f16") for rounding in ROUNDINGS] + ["cvt.rn.bf16.f64"])
    together(cases, "cvt narrowing from f32", "f32",
             [f"cvt.{rounding}.f16.f32" for rounding in ROUNDINGS] + ["cvt.rn.relu.f16.f32", "cvt.rn.relu.bf16.f32"])
    together(cases, "cvt saturating", "f32", ["cvt.rn.satfinite.f16.f32"], version="8.1")


def clips(to, source):
    """Whether some value of one integer type is none of the other."""
    least = {"u": 0, "s": 1}
    bits, source_bits = int(to[1:]), int(source[1:])
    narrower = bits < source_bits
    largest_is_smaller = bits - least[to[0]] < source_bits - least[source[0]]
    loses_negatives = (source[0], to[0]) == ("s", "u")
    return narrower or largest_is_smaller or loses_negatives
