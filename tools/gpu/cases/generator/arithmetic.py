"""Arithmetic, logic, comparison and conversion: a tuple of edge values a lane."""

from generator.values import BF16, E4M3, E5M2, F16, F32, FINITE, S32, S64, operands, pairs


def arithmetic(cases):
    for rounding, modes in (("rn", ("", ".ftz")), ("rz", ("", ".ftz")), ("rm", ("",)), ("rp", ("",))):
        for ftz in modes:
            cases.lanes(f"add.{rounding}{ftz}.f32", [32], [32, 32], operands(F32, F32))
            cases.lanes(f"mul.{rounding}{ftz}.f32", [32], [32, 32], operands(F32, F32))
            cases.lanes(f"fma.{rounding}{ftz}.f32", [32], [32] * 3, operands(F32, F32, F32))
    for form in ("sub.rn.f32", "add.rn.sat.f32", "div.rn.f32"):
        cases.lanes(form, [32], [32, 32], operands(F32, F32))
    for form in ("sqrt.rn.f32", "rcp.rn.f32", "neg.f32", "abs.ftz.f32"):
        cases.lanes(form, [32], [32], operands(F32))
    for operation in ("min", "max"):
        for modifiers in ("", ".ftz", ".NaN"):
            cases.lanes(f"{operation}{modifiers}.f32", [32], [32, 32], operands(F32, F32))
        for kind, values in (("f16x2", pairs(F16)), ("bf16x2", pairs(BF16))):
            for modifiers in ("", ".NaN"):
                cases.lanes(f"{operation}{modifiers}.{kind}", [32], [32, 32], operands(values, values))
    for kind, values in (("f16x2", pairs(F16)), ("bf16x2", pairs(BF16))):
        cases.lanes(f"fma.rn.{kind}", [32], [32] * 3, operands(values, values, values))
        cases.lanes(f"fma.rn.relu.{kind}", [32], [32] * 3, operands(values, values, values))
    for operation in ("add", "sub", "mul"):
        cases.lanes(f"{operation}.rn.f16x2", [32], [32, 32], operands(pairs(F16), pairs(F16)))


def integers(cases):
    for form in ("mul.lo.s32", "mul.hi.s32", "mul.hi.u32", "min.s32", "max.u32", "add.sat.s32", "sub.s32", "and.b32",
                 "xor.b32"):
        cases.lanes(form, [32], [32, 32], operands(S32, S32))
    for form in ("shl.b32", "shr.u32", "shr.s32"):
        cases.lanes(form, [32], [32, 32], operands(S32, [0, 1, 5, 31, 32, 33, 255, 0xFFFFFFFF]))
    for form in ("shl.b64", "shr.u64", "shr.s64"):
        cases.lanes(form, [64], [64, 32], operands(S64, [0, 1, 31, 32, 63, 64, 65, 0xFFFFFFFF]))
    for form in ("shf.l.wrap.b32", "shf.l.clamp.b32", "shf.r.wrap.b32", "shf.r.clamp.b32"):
        cases.lanes(form, [32], [32] * 3, operands(S32, S32, [0, 1, 16, 31, 32, 33, 64, 0xFFFFFFFF]))
    for form in ("bfe.u32", "bfe.s32"):
        cases.lanes(form, [32], [32] * 3, operands(S32, [0, 1, 8, 31, 32, 255, 256], [0, 1, 8, 31, 32, 255, 256]))
    cases.lanes("bfi.b32", [32], [32] * 4, operands(S32, S32, [0, 1, 8, 31, 32, 255], [0, 1, 8, 31, 32, 255]))
    for form in ("popc.b32", "clz.b32", "brev.b32", "bfind.u32", "bfind.s32", "abs.s32", "not.b32"):
        cases.lanes(form, [32], [32], operands(S32))
    cases.lanes("mul.wide.s32", [64], [32, 32], operands(S32, S32))
    cases.lanes("mad.wide.u32", [64], [32, 32, 64], operands(S32, S32, S64))
    for mode in ("", ".f4e", ".b4e", ".rc8", ".ecl", ".ecr", ".rc16"):
        selectors = [0x3210, 0x7654, 0x5140, 0x89AB, 0xFEDC, 0x0000, 0xFFFF, 0x1, 0x2, 0x3, 0x12345678]
        cases.lanes(f"prmt.b32{mode}", [32], [32] * 3, operands(S32, [0x83C1F07E, 0x7F80FF01], selectors))
    for table in (0x96, 0xE8, 0xCA, 0x01):
        cases.lanes(f"lop3.b32 {table:#x}", [32], [32] * 3, operands(S32, S32, S32),
                    text=f"lop3.b32 {{d0}}, {{a0}}, {{a1}}, {{a2}}, {table:#x}")


def comparisons(cases):
    for operation in ("eq", "lt", "ge", "neu", "ltu", "nan"):
        cases.lanes(f"setp.{operation}.f32", [1], [32, 32], operands(F32, F32))
    for operation in ("lt", "ge"):
        cases.lanes(f"setp.{operation}.s32", [1], [32, 32], operands(S32, S32))
        cases.lanes(f"setp.{operation}.u32", [1], [32, 32], operands(S32, S32))


def conversions(cases):
    for rounding in ("rn", "rz"):
        for to in ("f16", "bf16"):
            cases.lanes(f"cvt.{rounding}.{to}.f32", [16], [32], operands(F32 + [0x477FF000, 0x33000001, 0x3F808000]))
            for relu in ("", ".relu") if rounding == "rn" else ("",):
                cases.lanes(f"cvt.{rounding}{relu}.{to}x2.f32", [32], [32, 32], operands(F32, F32))
    cases.lanes("cvt.f32.f16", [32], [16], operands(F16))
    cases.lanes("cvt.f32.bf16", [32], [16], operands(BF16), arch="sm_90")
    cases.lanes("cvt.rna.tf32.f32", [32], [32], operands(F32))
    whole = F32 + [0x4EFFFFFF, 0x4F000000, 0xCF000000, 0xCF000001, 0x4F800000, 0x3F000000, 0x3FC00000, 0x40200000,
                   0xBF000000, 0xBFC00000]
    for rounding in ("rni", "rzi", "rmi", "rpi"):
        for to in ("s32", "u32", "f32"):
            cases.lanes(f"cvt.{rounding}.{to}.f32", [32], [32], operands(whole))
    cases.lanes("cvt.rzi.s64.f32", [64], [32], operands(whole))
    for rounding in ("rn", "rz", "rp"):
        for source in ("s32", "u32"):
            cases.lanes(f"cvt.{rounding}.f32.{source}", [32], [32],
                        operands(S32 + [0x01000001, 0x01000003, 0x7FFFFFBF]))
    for form, bits in (("cvt.s32.s8", 32), ("cvt.u32.u8", 32), ("cvt.s64.s32", 64), ("cvt.sat.s8.s32", 32),
                       ("cvt.sat.u8.s32", 32), ("cvt.sat.u16.s32", 32)):
        cases.lanes(form, [bits], [32], operands(S32 + [127, 128, 0xFFFFFF80, 0xFFFFFF7F, 255, 256, 65536]))
    near = FINITE + [0x43E00000, 0x43E80000, 0x43F00000, 0x3B000000, 0x3A800000, 0x47600000, 0x47700000, 0x37000000,
                     0x7F800000, 0xFF800000, 0x7FC00000]
    for to, values in (("e4m3", E4M3), ("e5m2", E5M2)):
        for relu in ("", ".relu"):
            cases.lanes(f"cvt.rn.satfinite{relu}.{to}x2.f32", [16], [32, 32], operands(near, near), arch="sm_89")
        packed = [low | values[(i + 3) % len(values)] << 8 for i, low in enumerate(values)]
        cases.lanes(f"cvt.rn.f16x2.{to}x2", [32], [16], operands(packed), arch="sm_89")
        cases.lanes(f"cvt.rn.satfinite.{to}x2.f16x2", [16], [32], operands(pairs(F16)), arch="sm_89")


def approximations(cases):
    """Within the bounds of the PTX ISA, section 9.7.3, in units of the last place of the result."""
    for ftz in ("", ".ftz"):
        x = [each for each in F32 if each & 0x7F800000 or not each & 0x7FFFFF] + [0x41200000, 0xC1200000, 0x3E99999A]
        cases.lanes(f"ex2.approx{ftz}.f32", [32], [32], operands(x), out_type="f32", tolerance=2)
        cases.lanes(f"rcp.approx{ftz}.f32", [32], [32], operands(x), out_type="f32", tolerance=1)
        cases.lanes(f"rsqrt.approx{ftz}.f32", [32], [32], operands(x), out_type="f32", tolerance=2)
        # The bound of lg2 is absolute near 1: only arguments far from there.
        far = [each for each in x if not 0x3F000000 < each < 0x40000000 or each == 0x3F800000]
        cases.lanes(f"lg2.approx{ftz}.f32", [32], [32], operands(far), out_type="f32", tolerance=4)
    # 2^-11 relative: 2^13 units in the last place where the mantissa of the result is largest.
    cases.lanes("tanh.approx.f32", [32], [32], operands(F32), out_type="f32", tolerance=8192)
    cases.lanes("ex2.approx.f16", [16], [16], operands(F16), out_type="f16", tolerance=2)
    cases.lanes("tanh.approx.bf16", [16], [16], operands(BF16), arch="sm_90", out_type="bf16", tolerance=1)
    for ftz in ("", ".ftz"):
        cases.lanes(f"sqrt.approx{ftz}.f32", [32], [32], operands(F32), out_type="f32", tolerance=2)
        # The bound holds for divisors between 2^-126 and 2^126.
        divisors = [each for each in F32 if each & 0x7F800000 < 0x7E800000 and each & 0x7FFFFFFF not in (1, 0x7FFFFF)]
        cases.lanes(f"div.approx{ftz}.f32", [32], [32, 32], operands(F32, divisors), out_type="f32", tolerance=2)
        cases.lanes(f"div.full{ftz}.f32", [32], [32, 32], operands(F32, divisors), out_type="f32", tolerance=2)
        # The bound is absolute, 2^-20.5: of results between 1/4 and 1/2 at most 23 units in the last place.
        angles = [0x00000000, 0x00000001, 0x3F000000, 0xBF000000, 0x3F490FDB, 0x3E99999A, 0x40100000, 0x7F800000]
        cases.lanes(f"sin.approx{ftz}.f32", [32], [32], operands(angles), out_type="f32", tolerance=23)
        cases.lanes(f"cos.approx{ftz}.f32", [32], [32], operands(angles), out_type="f32", tolerance=23)
    cases.lanes("ex2.approx.f16x2", [32], [32], operands(pairs(F16)), out_type="f16", tolerance=2)
    cases.lanes("ex2.approx.ftz.bf16", [16], [16], operands(BF16), arch="sm_90", out_type="bf16", tolerance=2)
    cases.lanes("ex2.approx.ftz.bf16x2", [32], [32], operands(pairs(BF16)), arch="sm_90", out_type="bf16", tolerance=2)
    # 2^-10.987 absolute: a unit in the last place where the result is largest, more of small ones.
    ordinary = [each for each in F16 if not 0x0001 <= each & 0x7FFF < 0x3800]
    cases.lanes("tanh.approx.f16", [16], [16], operands(ordinary), out_type="f16", tolerance=2)
    cases.lanes("tanh.approx.f16x2", [32], [32], operands(pairs(ordinary)), out_type="f16", tolerance=2)
    cases.lanes("tanh.approx.bf16x2", [32], [32], operands(pairs(BF16)), arch="sm_90", out_type="bf16", tolerance=1)


def write(cases):
    for family in (arithmetic, integers, comparisons, conversions, approximations):
        family(cases)
