"""Asynchronous copies that no tensor describes: cp.async, cp.async.bulk and cp.reduce.async.bulk."""

import struct

from generator.shared import (ADDRESSES, SYNC, copy_in, copy_out, declare, init_barrier, pattern, wait)
from generator.values import S32, S64
from generator.writer import Output

FILL = b"\xee" * 1024


def write(cases):
    for family in (cp_async, cp_async_groups, bulk_loads, bulk_stores, bulk_reductions):
        family(cases)


def cp_async(cases):
    """Lane i copies from the place of lane 31 - i, over memory filled before."""
    forms = [("ca", 4, ""), ("ca", 8, ""), ("ca", 16, ""), ("cg", 16, ""), ("ca.L2::128B", 16, ""),
             ("cg.L2::128B", 16, ""), ("cg.L2::256B", 16, ""), ("cg.L2::cache_hint", 16, ", %d1"), ("ca", 16, ", %r1"),
             ("ca", 8, ", %r1"), ("ca", 4, ", %r1"), ("cg", 16, ", %r1"), ("cg", 16, ", %p2")]
    for operation, size, more in forms:
        level, *hint = operation.split(".")
        opcode = ".".join([f"cp.async.{level}.shared.global", *hint])
        limit = {", %r1": " src-size", ", %p2": " ignore-src"}.get(more, "")
        cases.write(f"{opcode} {size}{limit}", f"""{ADDRESSES}
{copy_in("fill", 32 * size)}
  xor.b32 %r0, %lane, 31;
  mad.wide.u32 %d0, %r0, {size}, %p_in;
  mad.lo.u32 %r2, %lane, {size}, %m;
  rem.u32 %r1, %lane, {size + 1};
  setp.lt.u32 %p2, %r1, {size // 2};
  createpolicy.fractional.L2::evict_first.b64 %d1, 1.0;
  {opcode} [%r2], [%d0], {size}{more};
  cp.async.wait_all;
{SYNC}
{copy_out("out", 32 * size)}""", {"in": pattern(32 * size), "fill": FILL[:32 * size]}, {"out": Output(32 * size)},
                    arch="sm_90", registers=declare(512))


def cp_async_groups(cases):
    """Three groups; with one or two still allowed in flight the first is there, and read by the lane that asked."""
    for pending in (0, 1, 2):
        reads = "\n".join(f"""  ld.shared.b32 %r4, [%r3+{128 * group}];
  mad.wide.u32 %at, %lane, 4, %p_out;
  st.global.b32 [%at+{128 * group}], %r4;""" for group in range(3 - pending))
        cases.write(f"cp.async.wait_group {pending}", f"""{ADDRESSES}
  mad.wide.u32 %d0, %lane, 4, %p_in;
  mad.lo.u32 %r3, %lane, 4, %m;
  cp.async.ca.shared.global [%r3], [%d0], 4;
  cp.async.commit_group;
  cp.async.ca.shared.global [%r3+128], [%d0+128], 4;
  cp.async.commit_group;
  cp.async.ca.shared.global [%r3+256], [%d0+256], 4;
  cp.async.commit_group;
  cp.async.wait_group {pending};
{reads}
  cp.async.wait_all;""", {"in": pattern(384)}, {"out": Output(128 * (3 - pending))}, registers=declare(384))
    for noinc, count in (("", 1), (".noinc", 32)):
        arrive = "" if noinc else "  @%p0 mbarrier.arrive.shared.b64 %d1, [%bar];\n"
        cases.write(f"cp.async.mbarrier.arrive{noinc}.shared.b64", f"""{ADDRESSES}
  setp.eq.u32 %p0, %lane, 0;
  @%p0 mbarrier.init.shared.b64 [%bar], {count};
{SYNC}
  mad.wide.u32 %d0, %lane, 16, %p_in;
  mad.lo.u32 %r3, %lane, 16, %m;
  cp.async.cg.shared.global [%r3], [%d0], 16;
  cp.async.mbarrier.arrive{noinc}.shared.b64 [%bar];
  bar.warp.sync -1;
{arrive}{wait()}
  xor.b32 %lane, %lane, 17;
{copy_out("out", 512)}""", {"in": pattern(512)}, {"out": Output(512)}, arch="sm_90", registers=declare(512))


def bulk_loads(cases):
    """Two copies to one mbarrier, the first behind the second."""
    for to, hint, policy, version in (("cluster", "", "", ""), ("cluster", ".L2::cache_hint", ", %d1", ""),
                                      ("cta", "", "", "8.6")):
        form = f"cp.async.bulk.shared::{to}.global.mbarrier::complete_tx::bytes{hint}"
        cases.write(form, f"""{ADDRESSES}
{init_barrier()}
  createpolicy.fractional.L2::evict_last.b64 %d1, 1.0;
  @%p0 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%bar], 528;
  @%p0 {form} [%m+16], [%p_in+32], 512, [%bar]{policy};
  @%p0 {form} [%m], [%p_in+768], 16, [%bar]{policy};
{wait()}
{copy_out("out", 528)}""", {"in": pattern(1024)}, {"out": Output(528)}, arch="sm_90a", registers=declare(528),
                    version=version)
    cases.write("cp.async.bulk.prefetch.L2.global", f"""{ADDRESSES}
{init_barrier()}
  @%p0 cp.async.bulk.prefetch.L2.global [%p_in], 256;
  @%p0 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%bar], 256;
  @%p0 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%m], [%p_in], 256, [%bar];
{wait()}
{copy_out("out", 256)}""", {"in": pattern(256)}, {"out": Output(256)}, arch="sm_90a", registers=declare(256))


def bulk_stores(cases):
    """With .read only the source may be written again: then the end of the kernel completes the copy."""
    for hint, policy in (("", ""), (".L2::cache_hint", ", %d1")):
        for read in ("", ".read"):
            form = f"cp.async.bulk.global.shared::cta.bulk_group{hint}"
            cases.write(f"{form} wait_group{read}", f"""{ADDRESSES}
{copy_in("in", 512)}
  setp.eq.u32 %p0, %lane, 0;
  createpolicy.fractional.L2::evict_first.b64 %d1, 1.0;
  @%p0 {form} [%p_out], [%m+256], 256{policy};
  @%p0 cp.async.bulk.commit_group;
  @%p0 {form} [%p_out+272], [%m], 224{policy};
  @%p0 cp.async.bulk.commit_group;
  @%p0 cp.async.bulk.wait_group{read} 1;
  @%p0 st.shared.b32 [%m+256], 0;
  @%p0 cp.async.bulk.wait_group{read} 0;""", {"in": pattern(512)}, {"out": Output(512, pattern(512, 3))},
                        arch="sm_90a", registers=declare(512))


def _bytes(kind, values):
    letter = {"16": "H", "32": "I", "64": "Q"}[kind[-2:]]
    return struct.pack(f"<{len(values)}{letter}", *values)


def reductions():
    """Operations on a type, and values that no rounding and no NaN's payload makes doubtful."""
    exact16 = {"f16": [0x3C00, 0xBC00, 0x4248, 0x3555, 0x8000, 0x7BFF, 0x0400, 0x5640],
               "bf16": [0x3F80, 0xBF80, 0x4049, 0x3EAB, 0x8000, 0x7F00, 0x0080, 0x42C8]}
    exact64 = [0x3FF0000000000000, 0x400921FB54442D18, 0xBFF0000000000000, 0x7FE0000000000000]
    for operation, kind in [(o, k) for o in ("add", "min", "max") for k in ("u32", "s32", "u64", "s64")]:
        if (operation, kind) != ("add", "s64"):
            yield operation, kind, S64[:4] if kind.endswith("64") else S32[5:13]
    for operation in ("inc", "dec"):
        yield operation, "u32", [0, 1, 5, 6, 7, 8, 0xFFFFFFFF, 0x80000000]
    for operation in ("and", "or", "xor"):
        yield operation, "b32", S32[5:13]
        yield operation, "b64", S64[4:8]
    for kind in ("f16", "bf16"):
        for operation in ("add.noftz", "min", "max"):
            yield operation, kind, exact16[kind]
    yield "add", "f32", [0x3F800000, 0x40490FDB, 0xBF800000, 0x33800000]
    yield "add", "f64", exact64


def bulk_reductions(cases):
    """Every value meets every other: the list in shared memory against the list turned by one place more a row."""
    for operation, kind, values in reductions():
        source = _bytes(kind, values * len(values))
        before = _bytes(kind, [value for turn in range(len(values)) for value in values[turn:] + values[:turn]])
        source, before = (text[:len(text) // 16 * 16] for text in (source, before))
        form = f"cp.reduce.async.bulk.global.shared::cta.bulk_group.{operation}.{kind}"
        cases.write(form, f"""{ADDRESSES}
{copy_in("in", len(source))}
  setp.eq.u32 %p0, %lane, 0;
  @%p0 {form} [%p_out], [%m], {len(source)};
  @%p0 cp.async.bulk.commit_group;
  @%p0 cp.async.bulk.wait_group 0;""", {"in": source}, {"out": Output(len(before), before)}, arch="sm_90a",
                    registers=declare(512))
