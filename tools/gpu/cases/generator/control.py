"""Branches, ends, and what lanes learn of each other."""

from generator.values import LANES
from generator.writer import Output

REGISTERS = "  .reg .pred %p<4>;\n  .reg .b32 %r<8>;\n  .reg .b64 %d<4>;"
STORE = "  mad.wide.u32 %at, %lane, 4, %p_out;\n  st.global.b32 [%at], %r0;"


def write(cases):
    def kernel(form, body, **options):
        cases.write(form, body, {}, {"out": Output(4 * LANES)}, registers=REGISTERS, **options)

    # A loop of as many turns as the lane's number, with a branch inside.
    kernel("bra", f"""  mov.b32 %r0, 1;
  mov.b32 %r1, 0;
LOOP:
  setp.ge.u32 %p0, %r1, %lane;
  @%p0 bra DONE;
  add.u32 %r1, %r1, 1;
  and.b32 %r2, %r1, 3;
  setp.eq.u32 %p1, %r2, 0;
  @%p1 bra LOOP;
  mad.lo.u32 %r0, %r0, 3, %r1;
  bra.uni LOOP;
DONE:
{STORE}""")
    kernel("brx.idx", f"""  rem.u32 %r1, %lane, 3;
  mov.b32 %r0, 0;
TARGETS: .branchtargets FIRST, SECOND, THIRD;
  brx.idx %r1, TARGETS;
FIRST:
  add.u32 %r0, %r0, 1;
SECOND:
  add.u32 %r0, %r0, 10;
  bra END;
THIRD:
  add.u32 %r0, %r0, 100;
END:
{STORE}""")
    for end in ("exit", "ret"):
        # The odd lanes are gone and store nothing.
        kernel(end, f"""  and.b32 %r1, %lane, 1;
  setp.ne.u32 %p0, %r1, 0;
  mov.b32 %r0, 5;
  @%p0 {end};
{STORE}""")
    kernel("nanosleep.u32", f"""  mov.b32 %r0, %lane;
  nanosleep.u32 %lane;
{STORE}""")
    kernel("activemask.b32", f"""  activemask.b32 %r0;
{STORE}""")
    for bits, load in (("b32", ""), ("b64", "  cvt.u64.u32 %d0, %r1;\n  shl.b64 %d0, %d0, 31;\n")):
        value = "%r1" if bits == "b32" else "%d0"
        # Equal in all named lanes; and not.
        for divisor in (64, 7):
            kernel(f"match.all.sync.{bits} {divisor}", f"""  div.u32 %r1, %lane, {divisor};
{load}  match.all.sync.{bits} %r0|%p0, {value}, -1;
  selp.b32 %r2, 3, 5, %p0;
  mul.lo.u32 %r0, %r0, %r2;
{STORE}""")
    kernel("match.any.sync.b64", f"""  rem.u32 %r1, %lane, 5;
  cvt.u64.u32 %d0, %r1;
  shl.b64 %d0, %d0, 31;
  match.any.sync.b64 %r0, %d0, -1;
{STORE}""")
    # Two groups of lanes, each with a mask of its own.
    kernel("redux, shfl and vote of some lanes", f"""  and.b32 %r1, %lane, 1;
  setp.eq.u32 %p0, %r1, 0;
  setp.gt.u32 %p1, %lane, 20;
  @%p0 bra EVEN;
  redux.sync.add.u32 %r0, %lane, 0xAAAAAAAA;
  shfl.sync.bfly.b32 %r2, %lane, 2, 31, 0xAAAAAAAA;
  vote.sync.ballot.b32 %r3, %p1, 0xAAAAAAAA;
  bra END;
EVEN:
  redux.sync.max.u32 %r0, %lane, 0x55555555;
  shfl.sync.bfly.b32 %r2, %lane, 4, 31, 0x55555555;
  vote.sync.ballot.b32 %r3, %p1, 0x55555555;
END:
  mad.lo.u32 %r0, %r0, 1001, %r2;
  xor.b32 %r0, %r0, %r3;
{STORE}""")
