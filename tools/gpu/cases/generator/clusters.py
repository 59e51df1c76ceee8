"""Clusters: four blocks in two clusters of two, a warp each. %who is the block, %rank its place in the cluster, %other
the other's; a block stores to its own part of `out`."""

from generator.shared import ADDRESSES, copy_in, copy_out, declare, init_barrier, pattern, wait
from generator.writer import Output, TensorMap

ARRIVE_AND_WAIT = "  barrier.cluster.arrive.aligned;\n  barrier.cluster.wait.aligned;"
SLEEP = "  nanosleep.u32 20000;"
BLOCKS = 4


def run(cases, form, body, bytes_a_block, inputs=None, maps=None):
    cases.write(form, f"""{ADDRESSES}
  mov.u32 %who, %ctaid.x;
  mov.u32 %rank, %cluster_ctarank;
  xor.b32 %other, %rank, 1;
  mad.wide.u32 %p_out, %who, {bytes_a_block}, %p_out;
{body}""", inputs or {}, {"out": Output(BLOCKS * bytes_a_block)}, maps=maps, arch="sm_90a", grid=BLOCKS, cluster=2,
              registers=declare(2048) + "\n  .reg .b32 %who, %rank, %other;")


def write(cases):
    for family in (special_registers, shared_addresses, barriers, remote_stores, remote_arrivals, copies, multicasts,
                   atomics):
        family(cases)


def special_registers(cases):
    names = ["cluster_ctarank", "cluster_nctarank"]
    names += [f"{name}.{side}" for side in "xyz"
              for name in ("clusterid", "nclusterid", "cluster_ctaid", "cluster_nctaid")]
    reads = "\n".join(f"  mov.u32 %r0, %{name};\n  st.global.b32 [%p_out+{4 * i}], %r0;"
                      for i, name in enumerate(names))
    run(cases, "mov special registers of clusters", f"""  setp.ne.u32 %p1, %lane, 0;
  @%p1 bra END;
{reads}
  mov.pred %p0, %is_explicit_cluster;
  selp.b32 %r0, 1, 0, %p0;
  st.global.b32 [%p_out+{4 * len(names)}], %r0;
END:""", 4 * len(names) + 4)


def shared_addresses(cases):
    """Each block reads the other's words, by an address in the window of the cluster and by a generic one."""
    prepare = f"""  mad.lo.u32 %r0, %lane, 4, %m;
  mad.lo.u32 %r1, %who, 100, %lane;
  st.shared.b32 [%r0], %r1;
{ARRIVE_AND_WAIT}"""
    # getctarank of the mapped address: whose it is.
    run(cases, "mapa.shared::cluster.u32", f"""{prepare}
  mapa.shared::cluster.u32 %r2, %r0, %other;
  ld.shared::cluster.b32 %r3, [%r2];
  getctarank.shared::cluster.u32 %r4, %r2;
  getctarank.shared::cluster.u32 %r5, %r0;
  mad.wide.u32 %at, %lane, 12, %p_out;
  st.global.b32 [%at], %r3;
  st.global.b32 [%at+4], %r4;
  st.global.b32 [%at+8], %r5;
{ARRIVE_AND_WAIT}""", 384)
    run(cases, "mapa.u64", f"""{prepare}
  cvt.u64.u32 %d0, %r0;
  cvta.shared.u64 %d0, %d0;
  mapa.u64 %d1, %d0, %other;
  ld.b32 %r3, [%d1];
  getctarank.u64 %r4, %d1;
  getctarank.u64 %r5, %d0;
  isspacep.shared::cluster %p0, %d1;
  selp.b32 %r6, 1, 0, %p0;
  mad.wide.u32 %at, %lane, 16, %p_out;
  st.global.v4.b32 [%at], {{%r3, %r4, %r5, %r6}};
{ARRIVE_AND_WAIT}""", 512)


def barriers(cases):
    """Block 0 of a cluster is late; the other reads what it wrote."""
    for arrive in ("arrive", "arrive.release", "arrive.relaxed"):
        for wait_form in ("wait", "wait.acquire"):
            for aligned in ("", ".aligned"):
                # A relaxed arrival orders nothing by itself.
                fence = "  fence.acq_rel.cluster;" if "relaxed" in arrive else ""
                run(cases, f"barrier.cluster.{arrive}{aligned} barrier.cluster.{wait_form}{aligned}", f"""
  setp.eq.u32 %p0, %rank, 0;
  @!%p0 bra READY;
{SLEEP}
READY:
  bar.warp.sync -1;
  mad.lo.u32 %r0, %lane, 4, %m;
  mad.lo.u32 %r1, %who, 100, %lane;
  st.shared.b32 [%r0], %r1;
{fence}
  barrier.cluster.{arrive}{aligned};
  mapa.shared::cluster.u32 %r2, %r0, %other;
  barrier.cluster.{wait_form}{aligned};
  ld.shared::cluster.b32 %r3, [%r2];
  mad.wide.u32 %at, %lane, 4, %p_out;
  st.global.b32 [%at], %r3;
  barrier.cluster.{arrive}{aligned};
  barrier.cluster.{wait_form}{aligned};""", 128)


def remote_stores(cases):
    for kind, words in (("b32", 1), ("v2.b32", 2), ("v4.b32", 4)):
        registers = ", ".join(f"%r{4 + i}" for i in range(words))
        registers = f"{{{registers}}}" if words > 1 else registers
        run(cases, f"st.shared::cluster.{kind}", f"""  mad.lo.u32 %r0, %lane, {4 * words}, %m;
  mapa.shared::cluster.u32 %r2, %r0, %other;
  mad.lo.u32 %r4, %who, 100, %lane;
  add.u32 %r5, %r4, 1000;
  add.u32 %r6, %r4, 2000;
  add.u32 %r7, %r4, 3000;
{ARRIVE_AND_WAIT}
  st.shared::cluster.{kind} [%r2], {registers};
{ARRIVE_AND_WAIT}
{copy_out("out", 128 * words)}""", 128 * words)


def remote_arrivals(cases):
    """Block 1 writes to block 0 and arrives there 32 times; block 0 waits."""
    for sem in ("", ".release.cluster"):
        run(cases, f"mbarrier.arrive{sem}.shared::cluster", _arrivals(
            f"  mbarrier.arrive{sem}.shared::cluster.b64 _, [%r3];", 33,
            "  @%p0 mbarrier.arrive.shared::cta.b64 _, [%bar];"), 128)
    run(cases, "mbarrier.arrive count shared::cluster", _arrivals(
        "  mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%r3], 2;", 65,
        "  @%p0 mbarrier.arrive.shared::cta.b64 _, [%bar];"), 128)
    run(cases, "mbarrier.arrive.expect_tx.shared::cluster", _arrivals(
        """  mbarrier.arrive.expect_tx.release.cluster.shared::cluster.b64 _, [%r3], 8;
  mbarrier.complete_tx.relaxed.cluster.shared::cluster.b64 [%r3], 8;""", 33,
        "  @%p0 mbarrier.arrive.shared::cta.b64 _, [%bar];"), 128)
    run(cases, "mbarrier.complete_tx.relaxed.cluster.shared::cluster", _arrivals(
        """  mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%r3];
  mbarrier.complete_tx.relaxed.cluster.shared::cluster.b64 [%r3], 16;""", 33,
        "  @%p0 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%bar], 512;"), 128)
    run(cases, "mbarrier.arrive_drop.shared::cluster", _arrivals(
        "  mbarrier.arrive_drop.release.cluster.shared::cluster.b64 _, [%r3];", 33,
        "  @%p0 mbarrier.arrive.shared::cta.b64 _, [%bar];"), 128)


def _arrivals(remote, count, own):
    return f"""  setp.eq.u32 %p0, %lane, 0;
  @%p0 mbarrier.init.shared::cta.b64 [%bar], {count};
  @%p0 fence.mbarrier_init.release.cluster;
{ARRIVE_AND_WAIT}
  mad.lo.u32 %r0, %lane, 4, %m;
  mapa.shared::cluster.u32 %r2, %r0, %other;
  mapa.shared::cluster.u32 %r3, %bar, %other;
  setp.eq.u32 %p2, %rank, 0;
  @%p2 bra FIRST;
{SLEEP}
  mad.lo.u32 %r4, %who, 100, %lane;
  st.shared::cluster.b32 [%r2], %r4;
  fence.acq_rel.cluster;
{remote}
  mov.b32 %r5, %lane;
  bra END;
FIRST:
{own}
WAIT:
  mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 %p1, [%bar], 0;
  @!%p1 bra WAIT;
  xor.b32 %r6, %r0, 124;
  ld.shared.b32 %r5, [%r6];
END:
  bar.warp.sync -1;
  mad.wide.u32 %at, %lane, 4, %p_out;
  st.global.b32 [%at], %r5;
{ARRIVE_AND_WAIT}"""


def copies(cases):
    """Each block copies 512 bytes of its shared memory to the other's, which is told."""
    form = "cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes"
    run(cases, form, f"""{init_barrier()}
  mad.wide.u32 %p_in, %who, 512, %p_in;
{copy_in("in", 512)}
  mapa.shared::cluster.u32 %r2, %m, %other;
  mapa.shared::cluster.u32 %r3, %bar, %other;
  @%p0 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%bar], 512;
  fence.mbarrier_init.release.cluster;
{ARRIVE_AND_WAIT}
  @%p0 {form} [%r2+1024], [%m], 512, [%r3];
{wait()}
{copy_out("out", 512, start=1024)}
{ARRIVE_AND_WAIT}""", 512, {"in": pattern(BLOCKS * 512)})


def multicasts(cases):
    """Every block sends its part to both of its cluster, at the same place in each, and waits for two parts."""
    form = "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster"
    for hint, policy in (("", ""), (".L2::cache_hint", ", %d1")):
        run(cases, f"{form}{hint}", "  mad.wide.u32 %p_in, %who, 512, %p_in;\n" + _to_both(
            f"  @%p0 {form}{hint} [%r2], [%p_in], 512, [%bar], %h0{policy};"), 1024, {"in": pattern(2048)})
    form = "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.multicast::cluster"
    # Rows of 64 bytes of a tensor whose rows are 80 apart: 8 to a block, swizzled.
    run(cases, form, "  mul.lo.u32 %r5, %who, 8;\n" + _to_both(
        f"  @%p0 {form} [%r2], [%p_map, {{16, %r5}}], [%bar], %h0;"), 1024, {"in": pattern(32 * 96)},
        {"map": TensorMap("in", "bf16", [48, 32], [32, 8], 96, 64)})
    # To the other block alone.
    form = "cp.async.bulk.tensor.1d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.multicast::cluster"
    run(cases, form, f"""{init_barrier()}
  @%p0 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%bar], 128;
  fence.mbarrier_init.release.cluster;
{ARRIVE_AND_WAIT}
  mov.b32 %r6, 1;
  shl.b32 %r6, %r6, %other;
  cvt.u16.u32 %h0, %r6;
  mul.lo.u32 %r5, %who, 128;
  @%p0 {form} [%m], [%p_map, {{%r5}}], [%bar], %h0;
{wait()}
{copy_out("out", 128)}
{ARRIVE_AND_WAIT}""", 128, {"in": pattern(512)}, {"map": TensorMap("in", "u8", [512], [128])})


def _to_both(copy):
    return f"""{init_barrier()}
  @%p0 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%bar], 1024;
  fence.mbarrier_init.release.cluster;
{ARRIVE_AND_WAIT}
  mad.lo.u32 %r2, %rank, 512, %m;
  mov.b16 %h0, 3;
  createpolicy.fractional.L2::evict_last.b64 %d1, 1.0;
{copy}
{wait()}
{copy_out("out", 1024)}
{ARRIVE_AND_WAIT}"""


def atomics(cases):
    run(cases, "atom.add.shared::cluster.u32", f"""  setp.eq.u32 %p0, %lane, 0;
  @%p0 st.shared.b32 [%m], 5;
{ARRIVE_AND_WAIT}
  mapa.shared::cluster.u32 %r2, %m, %other;
  add.u32 %r4, %lane, %who;
  atom.relaxed.cluster.shared::cluster.add.u32 %r3, [%r2], %r4;
  red.relaxed.cluster.shared::cluster.max.u32 [%r2], 3;
{ARRIVE_AND_WAIT}
  ld.shared.b32 %r5, [%m];
  mad.wide.u32 %at, %lane, 4, %p_out;
  st.global.b32 [%at], %r5;""", 128)
