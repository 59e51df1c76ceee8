"""wgmma: operands of small integers, every element another by its place, laid out by the canonical layouts of PTX ISA
9.0, section 9.7.15.5.1.2.1.3. Sums are exact in every order. What no operand holds is NaN, so that a layout read
wrongly shows. Each thread stores its registers of D."""

import itertools
import struct
from dataclasses import dataclass, field

from generator.shared import ADDRESSES, copy_in, declare
from generator.values import Random
from generator.writer import Output

# Patterns of -4 to 4 by type; bytes an element.
INTEGERS = {"f16": {0: 0x0000, 1: 0x3C00, 2: 0x4000, 3: 0x4200, 4: 0x4400},
            "bf16": {0: 0x0000, 1: 0x3F80, 2: 0x4000, 3: 0x4040, 4: 0x4080},
            "e4m3": {0: 0x00, 1: 0x38, 2: 0x40, 3: 0x44, 4: 0x48},
            "e5m2": {0: 0x00, 1: 0x3C, 2: 0x40, 3: 0x42, 4: 0x44}}
BYTES = {"f16": 2, "bf16": 2, "e4m3": 1, "e5m2": 1}
MODES = {0: 0, 128: 1, 64: 2, 32: 3}
THREADS = 128
ALIGNMENT = 1024  # where a pattern of 128 bytes repeats


def pattern_of(kind, value):
    return INTEGERS[kind][abs(value)] | (0x80 << 8 * (BYTES[kind] - 1) if value < 0 else 0)


def element(row, k):
    return (row * 7 + k * 5 + row * k + row // 8) % 7 - 3


@dataclass
class Layout:
    swizzle: int = 128
    mn_major: bool = False
    spread: int = 1  # of the larger offset, to leave holes

    def offsets(self, rows):
        """Leading and stride offset in bytes."""
        if not self.swizzle:
            return 128 * (rows // 8) * self.spread, 128
        if self.mn_major:
            return 16 * self.swizzle * self.spread, 8 * self.swizzle
        return 16, 8 * self.swizzle * self.spread

    def place(self, rows, row, k, size):
        """The byte of an element, from the operand's begin."""
        leading, stride = self.offsets(rows)
        per = 16 // size  # elements in 16 bytes
        wide = self.swizzle // 16
        if not self.swizzle and self.mn_major:
            place = row % per * size + row // per * stride + k % 8 * 16 + k // 8 * leading
        elif not self.swizzle:
            place = row % 8 * 16 + row // 8 * stride + k % per * size + k // per * leading
        elif self.mn_major:
            place = (row % per * size + row // per % wide * 16 + row // (per * wide) * leading
                     + k % 8 * wide * 16 + k // 8 * stride)
        else:
            place = row % 8 * wide * 16 + row // 8 * stride + k * size
        # Bits 4 to 6 are exchanged by bits 7 to 9, as many as the swizzle has.
        return place ^ (place >> 7 & wide - 1) << 4 if self.swizzle else place

    def descriptor(self, rows):
        leading, stride = self.offsets(rows)
        return leading >> 4 << 16 | stride >> 4 << 32 | MODES[self.swizzle] << 62

    def __str__(self):
        return f"{'mn' if self.mn_major else 'k'}{self.swizzle}" + ("x2" if self.spread > 1 else "")


@dataclass
class Product:
    n: int = 8
    a: str = "bf16"
    b: str = "bf16"
    sums: str = "f32"
    a_layout: Layout | None = field(default_factory=Layout)  # None: in registers
    b_layout: Layout = field(default_factory=Layout)
    start: float = 2.0  # what every element of D holds before
    scale_d: int = 0
    negate_a: bool = False
    negate_b: bool = False
    steps: int = 1  # instructions along k, each on the next 32 bytes of a K-major row
    apart: bool = False  # each of them with sums and a group of its own, waited for one by one
    groups: int = 1  # warpgroups, each with rows of A of its own
    values: object = element  # of row and k

    @property
    def k(self):
        return 32 // BYTES[self.a]

    @property
    def form(self):
        return f"wgmma.mma_async.sync.aligned.m64n{self.n}k{self.k}.{self.sums}.{self.a}.{self.b}"

    @property
    def registers(self):
        """Of one D, a thread."""
        return self.n // 2 if self.sums == "f32" else self.n // 4

    @property
    def spans(self):
        """The k of each D."""
        step = [range(i * self.k, (i + 1) * self.k) for i in range(self.steps)]
        return step if self.apart else [range(self.k * self.steps)]


def lay_out(layout, kind, rows, k, value):
    """The bytes of an operand; where it has none all bits are set, which is NaN in each of the four types."""
    size = BYTES[kind]
    places = {layout.place(rows, row, i, size): pattern_of(kind, value(row, i))
              for row in range(rows) for i in range(k)}
    end = -(-(max(places) + size) // ALIGNMENT) * ALIGNMENT
    data = bytearray(b"\xff" * end)
    for place, bits in places.items():
        data[place:place + size] = bits.to_bytes(size, "little")
    return bytes(data)


def fragments(product):
    """A in registers: lane l of a warp holds rows l / 4 and l / 4 + 8, 4 bytes at 4 (l % 4) and 16 bytes further."""
    size = BYTES[product.a]
    per = 4 // size
    data = bytearray()
    for thread in range(THREADS):
        for register in range(4):
            row = thread // 32 * 16 + thread % 32 // 4 + register % 2 * 8
            first = (thread % 4 + register // 2 * 4) * per
            for i in range(per):
                data += pattern_of(product.a, product.values(row, first + i)).to_bytes(size, "little")
    return bytes(data)


def expected(product):
    """D as the threads hold it: thread t of a warpgroup rows t / 4 and t / 4 + 8 of its warp's 16, two neighbours of
    every eight columns."""
    letter = {"f32": "f", "f16": "e"}[product.sums]
    start = product.start if product.scale_d else 0
    sign = -1 if product.negate_a != product.negate_b else 1
    data = bytearray()
    for thread, span, pair in itertools.product(range(THREADS * product.groups), product.spans, range(product.n // 4)):
        row = thread // 32 * 16 + thread % 32 // 4 + pair % 2 * 8
        column = pair // 2 * 8 + thread % 4 * 2
        for n in (column, column + 1):
            total = sum(product.values(row, i) * product.values(n + 3, i) for i in span)
            data += struct.pack(f"<{letter}", start + sign * total)
    return bytes(data)


def accumulators(product, number):
    """The registers of a D."""
    return [f"%s{i}" for i in range(number * product.registers, (number + 1) * product.registers)]


def issue(product):
    """Every instruction on the next 32 bytes of both operands; past the first the sums go on."""
    scales = [-1 if product.negate_a else 1, -1 if product.negate_b else 1]
    if BYTES[product.a] == 2:
        majors = [product.a_layout.mn_major] if product.a_layout else []
        scales += map(int, [*majors, product.b_layout.mn_major])
    operand = "%desc_a" if product.a_layout else "{%a0, %a1, %a2, %a3}"
    lines = []
    for step in range(product.steps):
        if step:
            lines.append("  add.u64 %desc_a, %desc_a, 2;\n  add.u64 %desc_b, %desc_b, 2;")
        sums_of = ", ".join(accumulators(product, step if product.apart else 0))
        scale_d = "%p1" if step and not product.apart else "%p0"
        lines.append(f"  {product.form} {{{sums_of}}}, {operand}, %desc_b, {scale_d}, {', '.join(map(str, scales))};")
        if product.apart:
            lines.append("  wgmma.commit_group.sync.aligned;")
    return "\n".join(lines if product.apart else [*lines, "  wgmma.commit_group.sync.aligned;"])


def wait_and_store(product):
    lines = [f"  mad.wide.u32 %at, %lane, {4 * product.registers * len(product.spans)}, %p_out;"]
    for number in range(len(product.spans)):
        lines.append(f"  wgmma.wait_group.sync.aligned {len(product.spans) - 1 - number};")
        for i, register in enumerate(accumulators(product, number)):
            lines.append(f"  st.global.b32 [%at+{4 * (number * product.registers + i)}], {register};")
    return "\n".join(lines)


def write_product(cases, p, title="", informative=""):
    k = p.k * p.steps
    a_rows = 64 * p.groups
    a = lay_out(p.a_layout, p.a, a_rows, k, p.values) if p.a_layout else b""
    b = lay_out(p.b_layout, p.b, p.n, k, lambda row, i: p.values(row + 3, i))
    inputs = {"operands": a + b}
    threads = THREADS * p.groups
    # A warpgroup's rows of A are the next 64: eight groups of eight, a stride offset apart.
    rows_apart = p.a_layout.offsets(a_rows)[1] * 8 if p.a_layout else 0
    fetch = ""
    if not p.a_layout:
        inputs["fragments"] = fragments(p)
        fetch = "  mad.wide.u32 %at, %lane, 16, %p_fragments;\n  ld.global.v4.b32 {%a0, %a1, %a2, %a3}, [%at];"
    kind, constant = ("f32", struct.pack(">f", p.start)) if p.sums == "f32" else ("b32", 2 * struct.pack(">e", p.start))
    count = p.registers * len(p.spans)
    begin = "\n".join(f"  mov.b32 %s{i}, 0x{constant.hex()};" for i in range(count))
    body = f"""{ADDRESSES}
{copy_in("operands", len(a + b), threads)}
{fetch}
  shr.u32 %r0, %lane, 7;
  shfl.sync.idx.b32 %r0, %r0, 0, 31, -1;
  mad.lo.u32 %r0, %r0, {rows_apart}, %m;
  bfe.u32 %r0, %r0, 4, 14;
  cvt.u64.u32 %d0, %r0;
  or.b64 %desc_a, %d0, {p.a_layout.descriptor(a_rows) if p.a_layout else 0:#x};
  add.u32 %r1, %m, {len(a)};
  bfe.u32 %r1, %r1, 4, 14;
  cvt.u64.u32 %d1, %r1;
  or.b64 %desc_b, %d1, {p.b_layout.descriptor(p.n):#x};
{begin}
  setp.ne.u32 %p0, {p.scale_d}, 0;
  setp.eq.u32 %p1, %r1, %r1;
  wgmma.fence.sync.aligned;
{issue(p)}
{wait_and_store(p)}"""
    registers = f"  .reg .{kind} %s<{count}>;\n  .reg .b32 %a<4>;\n  .reg .b64 %desc_a, %desc_b;"
    out = Output(4 * count * threads, expected=b"" if informative else expected(p))
    cases.write(f"{p.form} {title}".strip(), body, inputs, {"out": out}, arch="sm_90a", block=threads,
                registers=f"{declare(len(a + b))}\n{registers}", informative=informative)


def write(cases):
    for family in (layouts, partial_slabs, types, shapes, scales, sequences, widths):
        family(cases)


def layouts(cases):
    """Both majors and every swizzle, with and without holes. B spans two patterns where N is the contiguous side."""
    for swizzle in (0, 32, 64, 128):
        for mn_major in (False, True):
            for spread in (1, 2) if swizzle < 64 else (1,):
                layout = Layout(swizzle, mn_major, spread)
                write_product(cases, Product(a_layout=layout), f"A {layout}")
                if spread == 1 or not mn_major:
                    n = max(16, swizzle) if mn_major else 24
                    write_product(cases, Product(n=n, a_layout=None, b_layout=layout), f"B {layout}")
        for kind in ("e4m3", "e5m2"):
            layout = Layout(swizzle)
            write_product(cases, Product(n=16, a=kind, b=kind, a_layout=layout, b_layout=layout), f"A, B {layout}")


def partial_slabs(cases):
    """B by rows, as V is: of the last pattern's 64 columns only some are read."""
    for n in (8, 72, 80, 96, 136):
        write_product(cases, Product(n=n, a_layout=None, b_layout=Layout(128, mn_major=True)), "B mn128 in part")


def types(cases):
    """Every pair of types and type of sums, with A in shared memory and in registers."""
    forms = [("f16", "f16", "f32"), ("f16", "f16", "f16"), ("bf16", "bf16", "f32")]
    forms += [(a, b, sums) for a in ("e4m3", "e5m2") for b in ("e4m3", "e5m2") for sums in ("f32", "f16")]
    for a, b, sums in forms:
        for a_layout in (Layout(32), None):
            write_product(cases, Product(n=8, a=a, b=b, sums=sums, a_layout=a_layout, b_layout=Layout(64)),
                          "A in shared memory" if a_layout else "A in registers")


def shapes(cases):
    """The smallest and the largest N, and ones that no power of two divides evenly."""
    dense = {"a_layout": Layout(32), "b_layout": Layout(32)}
    for n in (40, 96):
        write_product(cases, Product(n=n, **dense))
    write_product(cases, Product(n=256, a="f16", b="f16", sums="f16", **dense))
    write_product(cases, Product(n=96, a="e4m3", b="e4m3", sums="f16", **dense))


def scales(cases):
    """D counts or does not; A and B negated."""
    for sums, kind in (("f32", "bf16"), ("f16", "f16")):
        for scale_d in (0, 1):
            for negate_a, negate_b in ((False, False), (True, False), (False, True), (True, True)):
                p = Product(a=kind, b=kind, sums=sums, scale_d=scale_d, negate_a=negate_a, negate_b=negate_b,
                            a_layout=Layout(32), b_layout=Layout(32))
                signs = ("negated A" if negate_a else "A") + (" negated B" if negate_b else " B")
                write_product(cases, p, f"{signs} {'and D' if scale_d else 'alone'}")


def sequences(cases):
    """Several steps along k inside one swizzled row, and two warpgroups side by side."""
    for swizzle, steps in ((64, 2), (128, 4)):
        write_product(cases, Product(n=16, a_layout=Layout(swizzle), b_layout=Layout(swizzle), steps=steps),
                      f"{steps} steps along {swizzle} bytes")
        write_product(cases, Product(n=8, a="e4m3", b="e4m3", a_layout=Layout(swizzle), b_layout=Layout(swizzle),
                                     steps=steps), f"{steps} steps along {swizzle} bytes")
    apart = Product(a_layout=Layout(64), b_layout=Layout(128), steps=2, apart=True, scale_d=1)
    write_product(cases, apart, "two groups waited for one by one")
    write_product(cases, Product(groups=2, a_layout=Layout(64)), "two warpgroups")


def widths(cases):
    """Small integers drawn at random, added to a D that shows how many bits an accumulator keeps: one of 24 bits, far
    larger than they are, and one whose bits lie far below theirs."""
    why = "how many bits a matrix unit keeps between additions is measured, not specified"
    for kind in ("f16", "bf16", "e4m3", "e5m2"):
        random = Random(len(kind) + ord(kind[0]))
        table = {(row, i): [0, 1, -1, 2, 3, -3, 4, -4][random.bits(3)] for row in range(128) for i in range(32)}
        for start in (1048576.375, 0.0009765625 / 3):
            write_product(cases, Product(a=kind, b=kind, start=start, scale_d=1, a_layout=Layout(32),
                                         b_layout=Layout(32), values=lambda row, i: table[row, i]),
                          f"accumulating on {'much' if start > 1 else 'little'}", why)
