"""What a warp does together: exchanges, mma.sync, ldmatrix and stmatrix."""

import itertools

from generator.values import LANES, S32, Random, operands
from generator.writer import Output


def exchanges(cases):
    values = [(0x100 + lane,) for lane in range(LANES)]
    for mode, b, c in (("up", 1, 0), ("up", 3, 0x1800), ("down", 1, 31), ("down", 5, 0x181F), ("bfly", 1, 31),
                       ("bfly", 16, 31), ("bfly", 9, 0x1807), ("idx", 7, 31), ("idx", 37, 0x101F)):
        cases.lanes(f"shfl.sync.{mode}.b32 {b} {c}", [32, 1], [32], values,
                    text=f"shfl.sync.{mode}.b32 {{d0}}|{{d1}}, {{a0}}, {b}, {c}, -1")
    some = [(int(lane % 3 == 0),) for lane in range(LANES)]
    for mode, values in itertools.product(("all", "any", "uni"), (some, [(1,)] * LANES)):
        cases.lanes(f"vote.sync.{mode}.pred {sum(each[0] for each in values)}", [1], [1], values,
                    text=f"vote.sync.{mode}.pred {{d0}}, {{a0}}, -1")
    cases.lanes("vote.sync.ballot.b32", [32], [1], some, text="vote.sync.ballot.b32 {d0}, {a0}, -1")
    for operation in ("add", "and", "or", "xor"):
        kind = "s32" if operation == "add" else "b32"
        cases.lanes(f"redux.sync.{operation}.{kind}", [32], [32], operands(S32 + S32 + S32[:4]),
                    text=f"redux.sync.{operation}.{kind} {{d0}}, {{a0}}, -1")
    for operation, kind in (("min", "s32"), ("max", "s32"), ("min", "u32"), ("max", "u32")):
        cases.lanes(f"redux.sync.{operation}.{kind}", [32], [32], operands(S32 + S32 + S32[:4]),
                    text=f"redux.sync.{operation}.{kind} {{d0}}, {{a0}}, -1")
    same = [(lane // 4 % 3,) for lane in range(LANES)]
    cases.lanes("match.any.sync.b32", [32], [32], same, text="match.any.sync.b32 {d0}, {a0}, -1")


# Small integers and halves of them: sums that every order of additions gives exactly, so each bit counts.
SMALL = {"f16": [0x0000, 0x3C00, 0xBC00, 0x4000, 0xC200, 0x3800, 0x4500, 0xB800],
         "bf16": [0x0000, 0x3F80, 0xBF80, 0x4000, 0xC040, 0x3F00, 0x40A0, 0xBF00],
         "tf32": [0x00000000, 0x3F800000, 0xBF800000, 0x40000000, 0xC0400000, 0x3F000000, 0x40A00000, 0xBF000000],
         "e4m3": [0x00, 0x38, 0xB8, 0x40, 0xC4, 0x30, 0x4A, 0xB0],
         "e5m2": [0x00, 0x3C, 0xBC, 0x40, 0xC2, 0x38, 0x45, 0xB8]}
BITS = {"f16": 16, "bf16": 16, "tf32": 32, "e4m3": 8, "e5m2": 8}
SUMS = [0x00000000, 0x3F800000, 0xC0400000, 0x3F000000, 0x42C80000]


def products(cases):
    """Fragments as the registers hold them, element by element."""
    for k, kinds, sums, a, b, c in (
            (16, "f16.f16", "f32", 4, 2, 4), (8, "f16.f16", "f32", 2, 1, 4), (16, "bf16.bf16", "f32", 4, 2, 4),
            (8, "bf16.bf16", "f32", 2, 1, 4), (16, "f16.f16", "f16", 4, 2, 2), (8, "f16.f16", "f16", 2, 1, 2),
            (4, "tf32.tf32", "f32", 2, 1, 4), (8, "tf32.tf32", "f32", 4, 2, 4), (32, "e4m3.e4m3", "f32", 4, 2, 4),
            (32, "e5m2.e5m2", "f32", 4, 2, 4), (32, "e4m3.e5m2", "f32", 4, 2, 4), (32, "e5m2.e4m3", "f32", 4, 2, 4)):
        product(cases, f"m16n8k{k}", *kinds.split("."), sums, (a, b, c))
    # With PTX 8.7: sums of e4m3 and e5m2 in f16, and their smaller shape.
    for kinds in ("e4m3.e4m3", "e5m2.e4m3"):
        product(cases, "m16n8k32", *kinds.split("."), "f16", (4, 2, 2), version="8.7")
        product(cases, "m16n8k16", *kinds.split("."), "f32", (2, 1, 4), version="8.7")
        product(cases, "m16n8k16", *kinds.split("."), "f16", (2, 1, 2), version="8.7")


def product(cases, shape, kind_a, kind_b, sums, registers, **options):
    a, b, c = registers
    random = Random(a * 100 + len(kind_a) + len(shape))

    def word(kind):
        return sum(SMALL[kind][random.bits(3)] << i for i in range(0, 32, BITS[kind]))

    def start():
        return word("f16") if sums == "f16" else SUMS[random.bits(8) % len(SUMS)]

    tuples = [tuple([word(kind_a) for _ in range(a)] + [word(kind_b) for _ in range(b)] + [start() for _ in range(c)])
              for _ in range(LANES)]

    def group(letter, first, count):
        return "{{" + ", ".join("{" + f"{letter}{first + i}" + "}" for i in range(count)) + "}}"

    form = f"mma.sync.aligned.{shape}.row.col.{sums}.{kind_a}.{kind_b}.{sums}"
    cases.lanes(form, [32] * c, [32] * (a + b + c), tuples,
                text=f"{form} {group('d', 0, c)}, {group('a', 0, a)}, {group('a', a, b)}, {group('a', a + b, c)}",
                arch="sm_89" if BITS[kind_a] == 8 else "sm_80", **options)


def matrix_moves(cases):
    """ldmatrix from rows 16 bytes apart in reverse order; stmatrix to them."""
    rows = bytes(i * 7 & 255 for i in range(512))
    for count, trans in itertools.product((1, 2, 4), ("", ".trans")):
        registers = ", ".join(f"%d{i}" for i in range(count))
        declared = f"  .reg .b32 {registers}, %s, %w0, %w1, %w2, %w3;\n  .shared .align 16 .b8 tile[512];"
        stores = "\n".join(f"  st.global.b32 [%at+{4 * i}], %d{i};" for i in range(count))
        cases.write(f"ldmatrix.sync.aligned.m8n8.x{count}{trans}.shared.b16", f"""
  mad.wide.u32 %at, %lane, 16, %p_rows;
  ld.global.v4.b32 {{%w0, %w1, %w2, %w3}}, [%at];
  mov.u32 %s, tile;
  mad.lo.u32 %s, %lane, 16, %s;
  st.shared.v4.b32 [%s], {{%w0, %w1, %w2, %w3}};
  bar.warp.sync -1;
  mov.u32 %s, tile+496;
  mad.lo.u32 %s, %lane, -16, %s;
  ldmatrix.sync.aligned.m8n8.x{count}{trans}.shared.b16 {{{registers}}}, [%s];
  mad.wide.u32 %at, %lane, {4 * count}, %p_out;
{stores}""", {"rows": rows}, {"out": Output(128 * count)}, registers=declared)
        loads = "\n".join(f"  ld.global.b32 %d{i}, [%at+{4 * i}];" for i in range(count))
        cases.write(f"stmatrix.sync.aligned.m8n8.x{count}{trans}.shared.b16", f"""
  mad.wide.u32 %at, %lane, {4 * count}, %p_rows;
{loads}
  mov.u32 %s, tile;
  mad.lo.u32 %s, %lane, 16, %s;
  mov.b32 %w0, 0;
  st.shared.v4.b32 [%s], {{%w0, %w0, %w0, %w0}};
  bar.warp.sync -1;
  mov.u32 %s, tile+496;
  mad.lo.u32 %s, %lane, -16, %s;
  stmatrix.sync.aligned.m8n8.x{count}{trans}.shared.b16 [%s], {{{registers}}};
  bar.warp.sync -1;
  mov.u32 %s, tile;
  mad.lo.u32 %s, %lane, 16, %s;
  ld.shared.v4.b32 {{%w0, %w1, %w2, %w3}}, [%s];
  mad.wide.u32 %at, %lane, 16, %p_out;
  st.global.v4.b32 [%at], {{%w0, %w1, %w2, %w3}};""", {"rows": rows[:128 * count]}, {"out": Output(512)},
                    registers=declared, arch="sm_90")
    cases.lanes("movmatrix.sync.aligned.m8n8.trans.b16", [32], [32], [(lane * 0x00030005,) for lane in range(LANES)],
                arch="sm_80")


def write(cases):
    for family in (exchanges, products, matrix_moves):
        family(cases)
