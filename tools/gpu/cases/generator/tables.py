"""Every form of the simulator's table of elementwise instructions that no other chapter has a case for: forms whose
operands are of one kind stand in one kernel, each with a result buffer of its name."""

from generator.values import BF16, F16, F32, F64, PREDICATES, S16, S32, S64, operands, pairs

MOST_TOGETHER = 48  # forms in one kernel: a parameter each
SHIFTS = [0, 1, 5, 15, 16, 31, 32, 33, 63, 64, 255, 0xFFFFFFFF]
FIELDS = [0, 1, 8, 31, 32, 63, 255]  # positions and lengths
VALUES = {"f16": F16, "bf16": BF16, "f16x2": pairs(F16), "bf16x2": pairs(BF16), "f32": F32, "f64": F64,
          "pred": PREDICATES, "u16x2": S32, "s16x2": S32}
WHOLE = {16: S16, 32: S32, 64: S64}


def operand_kinds(opcode, bits):
    """A name a operand, for those whose values differ."""
    mnemonic, kind = opcode.split(".")[0], opcode.split(".")[-1]
    kinds = [kind if kind in VALUES else "whole"] * len(bits)
    if mnemonic in ("shl", "shr"):
        kinds[1] = "shift"
    if mnemonic == "bfe":
        kinds[1:] = ["field"] * 2
    if mnemonic == "bfi":
        kinds[2:] = ["field"] * 2
    if mnemonic in ("div", "rem") and kinds[1] == "whole":
        kinds[1] = "divisor"
    if opcode == "slct.f32.s32":
        kinds = ["f32", "f32", "whole"]
    return tuple("pred" if width == 1 else name for name, width in zip(kinds, bits))


def values(kind, bits):
    if kind == "shift":
        return SHIFTS
    if kind == "field":
        return FIELDS
    if kind == "divisor":
        # By zero and the least number by -1 are undefined.
        return [value & (1 << bits) - 1 for value in WHOLE[bits] if value and value + 1 & (1 << bits) - 1]
    return WHOLE[bits] if kind == "whole" else VALUES[kind]


def write(cases, known):
    """known: a line a form, its opcode, the bits of its result and of each operand."""
    groups = {}
    for line in known.splitlines():
        opcode, *bits = line.split()
        if bits and opcode not in cases.forms:
            output, *inputs = map(int, bits)
            groups.setdefault((output, tuple(inputs), operand_kinds(opcode, inputs)), []).append(opcode)
    for (output, inputs, kinds), opcodes in groups.items():
        title = "table " + " ".join(kind if kind in VALUES else f"{kind}{bits}" for kind, bits in zip(kinds, inputs))
        tuples = operands(*(values(kind, bits) for kind, bits in zip(kinds, inputs)))
        assert not any(".approx" in each or ".full" in each for each in opcodes), "these want a tolerance each"
        for first in range(0, len(opcodes), MOST_TOGETHER):
            part = f" {first}" if first else ""
            cases.together(f"{title} to {output}{part}", output, inputs, tuples, opcodes[first:first + MOST_TOGETHER],
                           arch="sm_90")
