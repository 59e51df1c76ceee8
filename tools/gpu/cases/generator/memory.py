"""Loads, stores, atomics, moves and addresses. Forms of one kind stand in one kernel, each with a result buffer of its
name, a value a lane."""

from generator.shared import pattern
from generator.values import LANES, S32, S64
from generator.writer import Output, identifier

POLICY = "  createpolicy.fractional.L2::evict_last.b64 %policy, 1.0;"
REGISTERS = """  .reg .pred %p<4>;
  .reg .b16 %h<4>;
  .reg .b32 %r<8>, %s;
  .reg .b64 %x<8>, %from, %policy, %l, %g, %word;
  .shared .align 16 .b8 memory[1024];
  .local .align 16 .b8 own[32];"""
KINDS = [f"{letter}{bits}" for bits in (8, 16, 32, 64) for letter in "bus"] + ["f32", "f64"]
ADDRESSES = f"""  mov.u32 %s, memory;
  mad.lo.u32 %s, %lane, 16, %s;
  mov.u64 %l, own;
{POLICY}"""


def write(cases):
    for family in (parameters, loads, load_hints, vectors, stores, atomics, contended, addresses, moves, prefetches):
        family(cases)


def write_results(cases, title, items, *, inputs=None, outputs=None, prelude="", **options):
    """items: opcode -> the code that leaves its 64 bits a lane in %x0."""
    body = [ADDRESSES, prelude]
    for opcode, code in items.items():
        body.append(f"  {code}\n  mad.wide.u32 %at, %lane, 8, %p_{identifier(opcode)};\n  st.global.b64 [%at], %x0;")
    buffers = {opcode: Output(8 * LANES) for opcode in items} | (outputs or {})
    cases.write(title, "\n".join(line for line in body if line), inputs or {}, buffers, registers=REGISTERS, **options)


def widen(opcode, address):
    """Loads into a register of the type's width and widens what it got with zeros."""
    bits = int(opcode[-2:]) if opcode[-2:].isdigit() else 8
    if bits == 64:
        return f"{opcode} %x0, {address};"
    if bits == 32:
        return f"{opcode} %r0, {address};\n  cvt.u64.u32 %x0, %r0;"
    return f"{opcode} %h0, {address};\n  cvt.u64.u16 %x0, %h0;"


FILL = """  mad.wide.u32 %from, %lane, 16, %p_in;
  ld.global.v2.b64 {%x1, %x2}, [%from];
  st.shared.v2.b64 [%s], {%x1, %x2};
  st.local.v2.b64 [%l], {%x1, %x2};
  cvta.local.u64 %g, %l;"""


def loads(cases):
    """Every type from every space, and into registers wider than the type."""
    places = {"global": "[%from+8]", "shared": "[%s+8]", "shared::cta": "[%s+8]", "local": "[%l+8]", "": "[%g+8]"}
    for space, address in places.items():
        dotted = f".{space}" if space else ""
        items = {f"ld{dotted}.{kind}": widen(f"ld{dotted}.{kind}", address) for kind in KINDS}
        items |= {f"ld{dotted}.{kind} wider": f"ld{dotted}.{kind} %x0, {address};" for kind in KINDS if kind[0] != "f"
                  and not kind.endswith("64")}
        write_results(cases, f"ld {space or 'generic'}", items, inputs={"in": pattern(512)}, prelude=FILL)


def parameters(cases):
    """Numbers handed to the kernel."""
    scalars = {"u8": 200, "u16": 60000, "u32": 4000000000, "u64": 1 << 63, "s32": -5, "s64": -6, "f32": -1.25,
               "f64": 1e300}
    items = {f"ld.param.{kind}": widen(f"ld.param.{kind}", f"[scalar_{kind}]") for kind in scalars}
    items["ld.param.b16"] = widen("ld.param.b16", "[scalar_u16]")
    items["ld.param.b32"] = widen("ld.param.b32", "[scalar_f32]")
    items["ld.param.b64"] = widen("ld.param.b64", "[scalar_f64]")
    write_results(cases, "ld param", items,
                  scalars={f"scalar_{kind}": (kind, value) for kind, value in scalars.items()})


def load_hints(cases):
    """What may stand beside a load changes nothing that can be seen."""
    forms = ["weak.global", "volatile.global", "relaxed.cta.global", "relaxed.gpu.global", "relaxed.sys.global",
             "acquire.cta.global", "acquire.gpu.global", "acquire.sys.global", "relaxed.cluster.global",
             "acquire.cluster.global", "global.ca", "global.cg", "global.cs", "global.lu", "global.cv", "global.nc",
             "global.nc.L1::no_allocate", "global.L1::evict_last", "global.L1::evict_first", "global.L2::64B",
             "global.L2::128B", "global.L2::256B", "volatile.shared"]
    items = {}
    for form in forms:
        items[f"ld.{form}.u32"] = widen(f"ld.{form}.u32", "[%s+8]" if "shared" in form else "[%from+8]")
    items["ld.global.L2::cache_hint.u32"] = "ld.global.L2::cache_hint.u32 %r0, [%from+8], %policy;\n" \
                                            "  cvt.u64.u32 %x0, %r0;"
    items["ldu.global.u32"] = "ldu.global.u32 %r0, [%p_in+4];\n  cvt.u64.u32 %x0, %r0;"
    write_results(cases, "ld hints", items, inputs={"in": pattern(512)}, prelude=FILL, arch="sm_90")


def vector_kinds():
    """Elements and type of every vector: 16 bytes are the most."""
    return [(count, kind) for kind in KINDS for count in (2, 4) if count * int(kind[1:]) <= 128]


def vectors(cases):
    """Two and four elements: all of them, folded into 64 bits."""
    for space, address in (("global", "[%from]"), ("shared", "[%s]"), ("local", "[%l]")):
        items = {}
        for count, kind in vector_kinds():
            bits = int(kind[1:])
            prefix = {8: "%h", 16: "%h", 32: "%r", 64: "%x"}[bits]
            registers = [f"{prefix}{i}" for i in range(count)]
            opcode = f"ld.{space}.v{count}.{kind}"
            code = [f"{opcode} {{{', '.join(registers)}}}, {address};", "mov.b64 %word, 0;"]
            for register in registers:
                code.append(f"mov.b64 %x3, {register};" if bits == 64 else
                            f"cvt.u64.u{max(bits, 16)} %x3, {register};")
                code.append("mad.lo.u64 %word, %word, 1000003, %x3;")
            items[opcode] = "\n  ".join([*code, "mov.b64 %x0, %word;"])
        write_results(cases, f"ld vectors {space}", items, inputs={"in": pattern(512)}, prelude=FILL)


def stores(cases):
    """Into a line filled before: the bytes of the type and no others change."""
    for space, address in (("global", "%from"), ("shared", "%s"), ("local", "%l"), ("", "%g")):
        dotted = f".{space}" if space else ""
        items = {}
        for kind in KINDS:
            bits = int(kind[1:])
            value = {8: "%h1", 16: "%h1", 32: "%r1", 64: "%x2"}[bits]
            items[f"st{dotted}.{kind}"] = "\n  ".join(
                [f"st{dotted}.b64 [{address}+8], %x1;", f"st{dotted}.{kind} [{address}+8], {value};",
                 f"ld{dotted}.b64 %x0, [{address}+8];"])
        for count, kind in vector_kinds():
            prefix = {8: "%h", 16: "%h", 32: "%r", 64: "%x"}[int(kind[1:])]
            registers = ", ".join(f"{prefix}{1 + i % 2}" for i in range(count))
            items[f"st{dotted}.v{count}.{kind}"] = "\n  ".join(
                [f"st{dotted}.v2.b64 [{address}], {{%x2, %x1}};",
                 f"st{dotted}.v{count}.{kind} [{address}], {{{registers}}};",
                 f"ld{dotted}.v2.b64 {{%x0, %x3}}, [{address}];", "mad.lo.u64 %x0, %x3, 1000003, %x0;"])
        prelude = FILL + """
  mad.wide.u32 %from, %lane, 16, %p_scratch;
  mov.b64 {%r1, %r2}, %x2;
  mov.b32 {%h1, %h2}, %r1;"""
        write_results(cases, f"st {space or 'generic'}", items, inputs={"in": pattern(512)}, prelude=prelude,
                      outputs={"scratch": Output(512, pattern(512))})
    hints = ["weak.global", "volatile.global", "relaxed.cta.global", "relaxed.gpu.global", "relaxed.sys.global",
             "release.cta.global", "release.gpu.global", "release.sys.global", "relaxed.cluster.global",
             "release.cluster.global", "global.wb", "global.cg", "global.cs", "global.wt", "global.L1::no_allocate"]
    items = {f"st.{form}.b32": f"st.global.b64 [%from+8], %x1;\n  st.{form}.b32 [%from+8], %r1;\n"
                               "  ld.global.b64 %x0, [%from+8];" for form in hints}
    items["st.global.L2::cache_hint.b32"] = "st.global.b64 [%from+8], %x1;\n" \
        "  st.global.L2::cache_hint.b32 [%from+8], %r1, %policy;\n  ld.global.b64 %x0, [%from+8];"
    write_results(cases, "st hints", items, inputs={"in": pattern(512)}, arch="sm_90", prelude=FILL + """
  mad.wide.u32 %from, %lane, 16, %p_scratch;
  mov.b64 {%r1, %r2}, %x2;""", outputs={"scratch": Output(512, pattern(512))})


# Floats that every host adds to the same bits; none subnormal, which global memory flushes (PTX ISA 9.0, 9.7.13.5).
FLOATS = {"f32": [0x3F800000, 0xBF800000, 0x40490FDB, 0x33800000, 0x7F7FFFFF, 0x00800001],
          "f64": [0x3FF0000000000000, 0xBFF0000000000000, 0x400921FB54442D18, 0x0010000000000000]}


def updates():
    for kind in ("u32", "s32", "u64", "s64"):
        for operation in ("add", "min", "max"):
            if (operation, kind) != ("add", "s64"):
                yield operation, kind
    for kind in ("b32", "b64"):
        yield from ((operation, kind) for operation in ("and", "or", "xor", "exch", "cas"))
    yield from (("inc", "u32"), ("dec", "u32"), ("add", "f32"), ("add", "f64"))


def update(mnemonic, space, address, operation, kind):
    """Code that leaves what was there and what is there afterwards, folded into 64 bits; red gives the latter alone."""
    dotted = f".{space}" if space else ""
    bits = int(kind[1:])
    register = "%r" if bits == 32 else "%x"
    more = f", {register}6" if operation == "cas" else ""
    swapped = f"  mov.b{bits} {register}6, {register}5;\n" if operation == "cas" else ""
    # cas: half of the lanes compare with what is there.
    compare = f"  selp.b{bits} {register}5, {register}4, {register}5, %p1;\n" if operation == "cas" else ""
    result = f"{register}0, " if mnemonic == "atom" else ""
    nothing = f"  mov.b{bits} {register}0, 0;\n" if mnemonic == "red" else ""
    folded = "mov.b64 %x0, {%r0, %r1};" if bits == 32 else "mad.lo.u64 %x0, %x0, 0x9E3779B97F4A7C15, %x1;"
    return f"""mad.wide.u32 %at, %lane, {bits // 8}, %p_{kind}_old;
  ld.global.b{bits} {register}4, [%at];
  mad.wide.u32 %at, %lane, {bits // 8}, %p_{kind}_new;
  ld.global.b{bits} {register}5, [%at];
  st{dotted}.b{bits} {address}, {register}4;
{swapped}{compare}  {mnemonic}{dotted}.{operation}.{kind} {result}{address}, {register}5{more};
  ld{dotted}.b{bits} {register}1, {address};
{nothing}  {folded}"""


def operands(kind):
    """NAME -> bytes: each value of the type, as what is there, meets each as what comes, as far as the lanes go."""
    values = FLOATS.get(kind) or (S32 if kind[1:] == "32" else S64)[:8]
    old = [values[i % len(values)] for i in range(LANES)]
    new = [values[i // len(values) % len(values)] for i in range(LANES)]
    return {f"{kind}_{name}": b"".join(value.to_bytes(int(kind[1:]) // 8, "little") for value in each)
            for name, each in (("old", old), ("new", new))}


def atomics(cases):
    """A word a lane: what was there, and (as a second result) what is there afterwards."""
    prelude = """  mad.wide.u32 %from, %lane, 16, %p_scratch;
  mov.u64 %g, %from;
  and.b32 %r3, %lane, 1;
  setp.eq.u32 %p1, %r3, 0;"""
    for space, address in (("global", "[%from]"), ("shared", "[%s]"), ("", "[%g]")):
        dotted = f".{space}" if space else ""
        for mnemonic in ("atom", "red"):
            items, buffers = {}, {}
            for operation, kind in updates():
                if mnemonic == "red" and operation in ("exch", "cas"):
                    continue
                items[f"{mnemonic}{dotted}.{operation}.{kind}"] = update(mnemonic, space, address, operation, kind)
                buffers |= operands(kind)
            write_results(cases, f"{mnemonic} {space or 'generic'}", items, inputs=buffers, prelude=prelude,
                          outputs={"scratch": Output(512, bytes(512))})


def contended(cases):
    """All lanes of four warps at one word; sums and maxima do not depend on the order."""
    forms = ["relaxed.cta", "relaxed.gpu", "relaxed.sys", "acq_rel.gpu", "acquire.gpu", "release.gpu"]
    lines = []
    for i, form in enumerate(forms):
        lines.append(f"  atom.{form}.global.add.u32 %r0, [%p_out+{8 * i}], %r1;")
        if "acq" not in form:
            lines.append(f"  red.{form}.global.max.u32 [%p_out+{8 * i + 4}], %r1;")
    cases.write("atom and red of many", "  mad.lo.u32 %r1, %lane, %lane, 3;\n" + "\n".join(lines), {},
                {"out": Output(8 * len(forms), bytes(8 * len(forms)))}, block=128, registers="  .reg .b32 %r<4>;")


def addresses(cases):
    """There and back, and which window an address lies in."""
    items = {}
    for space, value in (("global", "%from"), ("shared", "%x1"), ("local", "%l")):
        items[f"cvta.{space}.u64"] = f"cvta.{space}.u64 %x2, {value};\n  cvta.to.{space}.u64 %x3, %x2;\n" \
                                     f"  sub.u64 %x0, %x3, {value};"
        tests = "\n".join(f"  isspacep.{other} %p1, %x2;\n  selp.b64 %x3, {1 << i}, 0, %p1;\n  or.b64 %x0, %x0, %x3;"
                          for i, other in enumerate(("global", "shared", "local", "shared::cta", "shared::cluster")))
        items[f"isspacep {space}"] = f"cvta.{space}.u64 %x2, {value};\n  mov.b64 %x0, 0;\n{tests}"
    write_results(cases, "cvta and isspacep", items, inputs={"in": pattern(512)}, arch="sm_90",
                  prelude=FILL + "\n  cvt.u64.u32 %x1, %s;")


def moves(cases):
    widths = (("16", "%h", "cvt.u64.u16 %x0, %h3;"), ("32", "%r", "cvt.u64.u32 %x0, %r3;"),
              ("64", "%x", "mov.b64 %x0, %x3;"))
    items = {f"mov.{letter}{bits}": f"mov.{letter}{bits} {register}3, {register}2;\n  {widened}"
             for bits, register, widened in widths for letter in "bus"}
    items["mov.f32"] = "mov.f32 %r3, %r2;\n  cvt.u64.u32 %x0, %r3;"
    items["mov.f64"] = "mov.f64 %x3, %x2;\n  mov.b64 %x0, %x3;"
    items["mov.pred"] = "mov.pred %p2, %p1;\n  selp.b64 %x0, 1, 0, %p2;"
    items["mov.b32 packs"] = "mov.b32 %r3, {%h2, %h1};\n  cvt.u64.u32 %x0, %r3;"
    items["mov.b64 packs two"] = "mov.b64 %x0, {%r2, %r1};"
    items["mov.b64 packs four"] = "mov.b64 %x0, {%h2, %h1, %h1, %h2};"
    items["mov.b32 unpacks"] = "mov.b32 {%h3, %h0}, %r2;\n  mov.b64 %x0, {%h0, %h3, %h3, %h0};"
    items["mov.b64 unpacks two"] = "mov.b64 {%r3, %r0}, %x2;\n  mov.b64 %x0, {%r0, %r3};"
    items["mov.b64 unpacks four"] = "mov.b64 {%h3, %h0, %h1, %h2}, %x2;\n  mov.b64 %x0, {%h2, %h1, %h0, %h3};\n" \
                                    "  mov.b64 {%r1, %r2}, %x2;\n  mov.b32 {%h1, %h2}, %r1;"
    for name in ("tid.x", "tid.y", "ntid.x", "ntid.y", "ntid.z", "ctaid.x", "nctaid.x", "laneid",
                 "lanemask_eq", "lanemask_le", "lanemask_lt", "lanemask_ge", "lanemask_gt", "dynamic_smem_size"):
        items[f"mov %{name}".replace("%", "")] = f"mov.u32 %r3, %{name};\n  cvt.u64.u32 %x0, %r3;"
    write_results(cases, "mov", items, inputs={"in": pattern(512)}, prelude=FILL + """
  mov.b64 {%r1, %r2}, %x2;
  mov.b32 {%h1, %h2}, %r1;
  and.b32 %r0, %lane, 4;
  setp.ne.u32 %p1, %r0, 0;""")


def prefetches(cases):
    """Nothing to be seen: what is loaded afterwards is what was there."""
    forms = ["prefetch.global.L1", "prefetch.global.L2", "prefetch.global.L2::evict_last",
             "prefetch.global.L2::evict_normal", "prefetchu.L1"]
    items = {form: f"{form} [%from];\n  ld.global.b64 %x0, [%from];" for form in forms}
    items["applypriority.global.L2::evict_normal"] = "applypriority.global.L2::evict_normal [%p_in], 128;\n" \
                                                     "  ld.global.b64 %x0, [%from];"
    write_results(cases, "prefetch", items, inputs={"in": pattern(512)}, prelude=FILL)
