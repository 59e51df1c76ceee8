"""Barriers of the block, fences, setmaxnreg, elect. Whoever stores first sleeps, so that a barrier that does not hold
shows."""

from generator.shared import ADDRESSES, declare, pattern
from generator.writer import Output

SLEEP = "  nanosleep.u32 20000;"
WARP = "  shr.u32 %r0, %lane, 5;\n  and.b32 %r1, %lane, 31;"


def write(cases):
    for family in (exchanges, one_way, reductions, warp_barrier, messages, proxies, registers, elections, dependence):
        family(cases)


def exchanges(cases):
    """Two of three warps exchange their words; the third is not waited for, and comes to another barrier."""
    for form in ("bar.sync", "bar.cta.sync", "barrier.sync", "barrier.cta.sync", "barrier.sync.aligned"):
        cases.write(f"{form} of 64 threads", f"""{ADDRESSES}
{WARP}
  setp.eq.u32 %p0, %r0, 2;
  @%p0 bra THIRD;
  setp.eq.u32 %p1, %r0, 0;
  @!%p1 bra SECOND;
{SLEEP}
SECOND:
  bar.warp.sync -1;
  mad.lo.u32 %r2, %lane, 4, %m;
  mul.lo.u32 %r3, %lane, 3;
  st.shared.b32 [%r2], %r3;
  {form} 5, 64;
  xor.b32 %r4, %lane, 39;
  mad.lo.u32 %r2, %r4, 4, %m;
  ld.shared.b32 %r5, [%r2];
  bra END;
THIRD:
  mov.b32 %r5, 77;
END:
  bar.warp.sync -1;
  mad.wide.u32 %at, %lane, 4, %p_out;
  st.global.b32 [%at], %r5;
  bar.sync 0;""", {}, {"out": Output(384)}, arch="sm_80", block=96, registers=declare(256))


def one_way(cases):
    """Warp 0 writes and arrives, warp 1 waits and reads; then warp 1 arrives for warp 0 to write again."""
    for form in ("bar", "barrier.cta", "barrier"):
        aligned = ".aligned" if form == "barrier" else ""
        cases.write(f"{form}.arrive{aligned}", f"""{ADDRESSES}
{WARP}
  mad.lo.u32 %r2, %r1, 4, %m;
  setp.ne.u32 %p0, %r0, 0;
  @%p0 bra CONSUMER;
{SLEEP}
  st.shared.b32 [%r2], %lane;
  {form}.arrive{aligned} 1, 64;
  {form}.sync{aligned} 2, 64;
  add.u32 %r3, %lane, 1000;
  st.shared.b32 [%r2], %r3;
  {form}.arrive{aligned} 1, 64;
  bra END;
CONSUMER:
  xor.b32 %r4, %r1, 31;
  mad.lo.u32 %r4, %r4, 4, %m;
  {form}.sync{aligned} 1, 64;
  ld.shared.b32 %r5, [%r4];
{SLEEP}
  {form}.arrive{aligned} 2, 64;
  {form}.sync{aligned} 1, 64;
  ld.shared.b32 %r6, [%r4];
  mad.wide.u32 %at, %r1, 8, %p_out;
  st.global.v2.b32 [%at], {{%r5, %r6}};
END:""", {}, {"out": Output(256)}, block=64, registers=declare(128))


def reductions(cases):
    """Over all 96 threads, and over the last two warps. Multiples of 5, everybody, nobody."""
    for form in ("bar.red", "bar.cta.red", "barrier.cta.red.aligned", "barrier.red"):
        plain = form.removesuffix(".aligned")
        aligned = form.removeprefix(plain)
        lines = []
        for word, (operation, kind) in enumerate((("popc", "u32"), ("and", "pred"), ("or", "pred"))):
            for n, predicate in enumerate(("%p0", "%p1", "%p2")):
                for threads in ("", ", 64"):
                    place = (word * 3 + n) * 2 + bool(threads)
                    to = "%r3" if kind == "u32" else "%p4"
                    lines.append("  mov.b32 %r3, 99;" if threads else "")
                    lines.append(f"  @!%p3 bra SKIP{place};" if threads else "")
                    lines.append(f"  {plain}.{operation}{aligned}.{kind} {to}, {1 if threads else 0}{threads}, "
                                 f"{predicate};")
                    lines.append("  selp.b32 %r3, 1, 0, %p4;" if kind == "pred" else "")
                    lines.append(f"SKIP{place}:\n  bar.warp.sync -1;" if threads else "")
                    lines.append(f"  st.global.b32 [%at+{4 * place}], %r3;")
        cases.write(form, f"""{WARP}
  rem.u32 %r2, %lane, 5;
  setp.eq.u32 %p0, %r2, 0;
  setp.ge.u32 %p1, %lane, 0;
  setp.gt.u32 %p2, %lane, 96;
  setp.ge.u32 %p3, %r0, 1;
  mad.wide.u32 %at, %lane, 72, %p_out;
{chr(10).join(line for line in lines if line)}""", {}, {"out": Output(96 * 72)}, block=96, registers=declare(16))


def warp_barrier(cases):
    """The even lanes write and the odd ones read, on two paths that meet at the barrier."""
    cases.write("bar.warp.sync", f"""{ADDRESSES}
  mad.lo.u32 %r2, %lane, 4, %m;
  and.b32 %r3, %lane, 1;
  setp.ne.u32 %p0, %r3, 0;
  @%p0 bra ODD;
{SLEEP}
  st.shared.b32 [%r2], %lane;
  bar.warp.sync -1;
  mov.b32 %r4, %lane;
  bra END;
ODD:
  bar.warp.sync -1;
  ld.shared.b32 %r4, [%r2+-4];
  add.u32 %r4, %r4, 100;
END:
  bar.warp.sync 0xffffffff;
  mad.wide.u32 %at, %lane, 4, %p_out;
  st.global.b32 [%at], %r4;""", {}, {"out": Output(128)}, registers=declare(128))


def messages(cases):
    """Thread 0 of warp 0 leaves a message and raises a flag behind a fence; warp 1 polls the flag."""
    fences = [(f"fence.{kind}.{scope}", "sm_90" if scope == "cluster" else "sm_80")
              for kind in ("acq_rel", "sc") for scope in ("cta", "cluster", "gpu", "sys")]
    fences += [(f"membar.{level}", "sm_80") for level in ("cta", "gl", "sys")]
    for form, arch in fences:
        cases.write(form, f"""{ADDRESSES}
{WARP}
  setp.eq.u32 %p0, %lane, 0;
  @%p0 st.global.b32 [%p_flag], 0;
  bar.sync 0;
  setp.ne.u32 %p1, %r0, 0;
  @%p1 bra READER;
  @!%p0 bra END;
{SLEEP}
  st.global.b32 [%p_message], 4711;
  {form};
  st.relaxed.gpu.global.b32 [%p_flag], 1;
  bra END;
READER:
  ld.relaxed.gpu.global.b32 %r2, [%p_flag];
  setp.eq.u32 %p2, %r2, 0;
  @%p2 bra READER;
  bar.warp.sync -1;
  {form};
  ld.global.b32 %r3, [%p_message];
  add.u32 %r3, %r3, %r1;
  mad.wide.u32 %at, %r1, 4, %p_out;
  st.global.b32 [%at], %r3;
END:""", {}, {"flag": Output(4), "message": Output(4), "out": Output(128)}, arch=arch, block=64,
                    registers=declare(16))


def proxies(cases):
    """Words written plainly and stored by the copy engine. The other proxies have nothing here that goes through them:
    their fences must only be there."""
    for form in ("fence.proxy.async", "fence.proxy.async.shared::cta", "fence.proxy.async.shared::cluster"):
        cases.write(form, f"""{ADDRESSES}
  mad.lo.u32 %r2, %lane, 4, %m;
  mul.lo.u32 %r3, %lane, 0x01030507;
  st.shared.b32 [%r2], %r3;
  {form};
  bar.warp.sync -1;
  setp.eq.u32 %p0, %lane, 0;
  @%p0 cp.async.bulk.global.shared::cta.bulk_group [%p_out], [%m], 128;
  @%p0 cp.async.bulk.commit_group;
  @%p0 cp.async.bulk.wait_group 0;""", {}, {"out": Output(128)}, arch="sm_90a", registers=declare(128))
    # What a thread stored to global memory, read by a copy.
    cases.write("fence.proxy.async.global", f"""{ADDRESSES}
  setp.eq.u32 %p0, %lane, 0;
  @%p0 mbarrier.init.shared::cta.b64 [%bar], 1;
  mad.wide.u32 %at, %lane, 4, %p_middle;
  mul.lo.u32 %r3, %lane, 0x01030507;
  st.global.b32 [%at], %r3;
  fence.proxy.async;
  fence.proxy.async.global;
  bar.warp.sync -1;
  @%p0 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%bar], 128;
  @%p0 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%m], [%p_middle], 128, [%bar];
WAIT:
  mbarrier.try_wait.parity.shared::cta.b64 %p1, [%bar], 0;
  @!%p1 bra WAIT;
  mad.lo.u32 %r2, %lane, 4, %m;
  ld.shared.b32 %r4, [%r2];
  mad.wide.u32 %at, %lane, 4, %p_out;
  st.global.b32 [%at], %r4;
  fence.proxy.alias;""", {}, {"middle": Output(128), "out": Output(128)}, arch="sm_90a", registers=declare(128))


def registers(cases):
    """Three warpgroups: one gives up registers, the others take what it gave, and all compute on."""
    for fewer, more in ((24, 240), (40, 232)):
        cases.write(f"setmaxnreg.sync.aligned.u32 {fewer} {more}", f"""{WARP}
  shr.u32 %r2, %lane, 7;
  mad.lo.u32 %r3, %lane, 5, 1;
  setp.ne.u32 %p0, %r2, 0;
  @%p0 bra MORE;
  setmaxnreg.dec.sync.aligned.u32 {fewer};
  xor.b32 %r3, %r3, 85;
  bra END;
MORE:
  setmaxnreg.inc.sync.aligned.u32 {more};
  add.u32 %r3, %r3, 3;
END:
  mad.wide.u32 %at, %lane, 4, %p_out;
  st.global.b32 [%at], %r3;""", {}, {"out": Output(1536)}, arch="sm_90a", block=384, registers=declare(16),
                    directives="\n.maxntid 384\n.minnctapersm 1\n")


def elections(cases):
    """One lane of those named, and the same for all of them; which one the ISA leaves open."""
    for title, mask, informative in (("one lane", 0xFFFFFFFF, ""), ("of some lanes", 0x0FF0, ""),
                                     ("the lowest lane", 0xFF0, "the ISA does not say which lane is elected")):
        reveals = "add.u32 %r6, %r6, %r3;" if informative else ""
        cases.write(f"elect.sync {title}", f"""  mov.b32 %r6, 0;
  mov.b32 %r2, 1;
  shl.b32 %r2, %r2, %lane;
  and.b32 %r2, %r2, {mask};
  setp.eq.u32 %p1, %r2, 0;
  @%p1 bra END;
  elect.sync %r3|%p0, {mask};
  // The leader, and it alone, finds its own number; everybody finds a lane that is named.
  setp.eq.u32 %p2, %r3, %lane;
  xor.pred %p3, %p0, %p2;
  selp.b32 %r6, 1000, 100, %p3;
  mov.b32 %r4, {mask};
  shr.u32 %r4, %r4, %r3;
  and.b32 %r4, %r4, 1;
  add.u32 %r6, %r6, %r4;
  vote.sync.ballot.b32 %r5, %p0, {mask};
  popc.b32 %r5, %r5;
  mad.lo.u32 %r6, %r5, 10, %r6;
  {reveals}
END:
  bar.warp.sync -1;
  mad.wide.u32 %at, %lane, 4, %p_out;
  st.global.b32 [%at], %r6;""", {}, {"out": Output(128)}, arch="sm_90", registers=declare(16), informative=informative)


def dependence(cases):
    """A launch that depends on none: both only have to be there."""
    cases.write("griddepcontrol", """  griddepcontrol.wait;
  mad.wide.u32 %at, %lane, 4, %p_in;
  ld.global.b32 %r0, [%at];
  mad.wide.u32 %at, %lane, 4, %p_out;
  st.global.b32 [%at], %r0;
  griddepcontrol.launch_dependents;""", {"in": pattern(128)}, {"out": Output(128)}, arch="sm_90", registers=declare(16))
