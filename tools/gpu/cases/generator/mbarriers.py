"""mbarrier: counts, phases, bytes. One thread does one thing after the other and stores what it sees, a word each:
the pending count of every state, and what every test says."""

from generator.shared import ADDRESSES, SYNC, declare, store_words, words
from generator.writer import Output


def write(cases):
    for family in (by_one_thread, generic_addresses, waits, phases):
        family(cases)


class Steps:
    """What one thread does; every observation is the next word of the result."""

    def __init__(self):
        self.lines = []
        self.words = 0

    def do(self, *lines):
        self.lines += [f"  {line}" for line in lines]
        return self

    def see(self, register):
        self.lines.append(store_words([register], self.words))
        self.words += 1
        return self

    def pending(self, state="%d0"):
        return self.do(f"mbarrier.pending_count.b64 %r0, {state};").see("%r0")

    def test(self, operand, form="test_wait", more=""):
        # A try_wait may give up after a time of the system's own, and says no then.
        self.do(f"mbarrier.{form}.shared::cta.b64 %p1, [%bar], {operand}{more};", "selp.b32 %r0, 1, 0, %p1;")
        return self.see("%r0")


def init(count):
    return Steps().do(f"mbarrier.init.shared::cta.b64 [%bar], {count};")


def arrival(form, more=""):
    return f"{form}.shared::cta.b64 %d0, [%bar]{more};"


def by_one_thread(cases):
    """Counts go down by arrivals, drops, and bytes keep a phase open that nobody is missing from."""
    arrive = arrival("mbarrier.arrive")
    kinds = {}
    kinds["mbarrier.arrive"] = steps = init(3)
    for phase in range(2):
        for _ in range(3):
            steps.do(arrive).pending().test("%d0").test(phase, "test_wait.parity").test(1 - phase, "test_wait.parity")
    kinds["mbarrier.arrive count"] = init(10).do(arrival("mbarrier.arrive", ", 4")).pending().test("%d0").do(
        arrival("mbarrier.arrive", ", 6")).pending().test("%d0")
    for release in (".release.cta", ".release.cluster"):
        kinds[f"mbarrier.arrive{release}"] = init(2).do(arrival(f"mbarrier.arrive{release}")).pending().do(
            arrival(f"mbarrier.arrive{release}")).pending().test("%d0")
    kinds["mbarrier.arrive.noComplete"] = init(5).do(arrival("mbarrier.arrive.noComplete", ", 4")).pending().do(
        arrive).pending().test("%d0")
    kinds["mbarrier.arrive_drop"] = steps = init(3).do(arrive).pending().do(arrive).pending().do(
        arrival("mbarrier.arrive_drop")).pending().test("%d0")
    steps.do(arrive).pending().test("%d0").do(arrive).pending().test("%d0").do(arrive).pending()
    kinds["mbarrier.arrive_drop count"] = init(6).do(arrival("mbarrier.arrive_drop", ", 4")).pending().do(
        arrival("mbarrier.arrive", ", 2")).pending().test("%d0").do(arrive).pending().do(arrive).pending().test("%d0")
    kinds["mbarrier.arrive_drop.noComplete"] = init(4).do(
        arrival("mbarrier.arrive_drop.noComplete", ", 2")).pending().do(arrive).pending().do(arrive).pending().test(
            "%d0").do(arrive).pending().do(arrive).pending().test("%d0")
    complete = "mbarrier.complete_tx.relaxed.cta.shared::cta.b64 [%bar], {};"
    kinds["mbarrier.arrive.expect_tx"] = steps = init(2).do(arrival("mbarrier.arrive.expect_tx", ", 96")).pending()
    steps.test("%d0").do(complete.format(64)).test("%d0").do(arrive).pending().test("%d0").do(
        complete.format(32)).test("%d0").do(arrive).pending()
    kinds["mbarrier.arrive_drop.expect_tx"] = init(2).do(
        arrival("mbarrier.arrive_drop.expect_tx", ", 16")).pending().do(arrive).pending().test("%d0").do(
            complete.format(16)).test("%d0").do(arrive).pending().test("%d0")
    kinds["mbarrier.expect_tx"] = init(1).do("mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [%bar], 1048575;",
                                             arrive).pending().test("%d0").do(complete.format(1048575)).test("%d0")
    kinds["mbarrier.complete_tx before its bytes are expected"] = init(1).do(complete.format(48)).do(
        arrival("mbarrier.arrive.expect_tx", ", 48")).pending().test("%d0")
    kinds["mbarrier.init of the largest count"] = init(1048575).do(arrive).pending().do(
        arrival("mbarrier.arrive", ", 1048573")).pending().do(arrive).pending().test("%d0")
    kinds["mbarrier.inval"] = init(4).do(arrive, "mbarrier.inval.shared::cta.b64 [%bar];",
                                         "st.shared.b64 [%bar], 0x0123456789abcdef;",
                                         "ld.shared.v2.b32 {%r1, %r2}, [%bar];").see("%r1").see("%r2").do(
                                             "mbarrier.init.shared::cta.b64 [%bar], 2;", arrive).pending().do(
                                                 arrive).pending().test("%d0")
    for form in ("test_wait", "try_wait"):
        for sem in ("", ".acquire.cta", ".acquire.cluster"):
            for parity in ("", ".parity"):
                # Where nothing has to be waited for, both say yes at once.
                kinds[f"mbarrier.{form}{parity}{sem}"] = init(1).do(arrive).test(
                    0 if parity else "%d0", f"{form}{parity}{sem}").do(arrive).test(
                        1 if parity else "%d0", f"{form}{parity}{sem}")
    for parity in ("", ".parity"):
        kinds[f"mbarrier.try_wait{parity} with a time limit"] = steps = init(2).do(arrive)
        steps.test(0 if parity else "%d0", f"try_wait{parity}", ", 1000").do(arrive)
        steps.test(0 if parity else "%d0", f"try_wait{parity}", ", 1000")
    # With PTX 8.6.
    kinds["mbarrier.arrive.relaxed"] = init(3).do(arrival("mbarrier.arrive.relaxed.cta")).pending().do(
        arrival("mbarrier.arrive.relaxed.cluster", ", 2")).pending().test("%d0", "test_wait.relaxed.cta").test(
            0, "try_wait.parity.relaxed.cluster")
    for title, steps in kinds.items():
        cases.write(title, f"""{ADDRESSES}
  setp.ne.u32 %p0, %lane, 0;
  @%p0 bra END;
{chr(10).join(steps.lines)}
END:""", {}, {"out": Output(4 * steps.words)}, arch="sm_90a", registers=declare(16),
                    version="8.6" if "relaxed" in title else "")


def generic_addresses(cases):
    cases.write("mbarrier generic addresses", f"""{ADDRESSES}
  setp.ne.u32 %p0, %lane, 0;
  @%p0 bra END;
  cvt.u64.u32 %d1, %bar;
  cvta.shared.u64 %d1, %d1;
  mbarrier.init.b64 [%d1], 2;
  mbarrier.arrive.b64 %d0, [%d1];
  mbarrier.pending_count.b64 %r0, %d0;
  mbarrier.arrive.expect_tx.b64 %d0, [%d1], 0;
  mbarrier.pending_count.b64 %r1, %d0;
  mbarrier.test_wait.b64 %p1, [%d1], %d0;
  selp.b32 %r2, 1, 0, %p1;
  mbarrier.try_wait.parity.b64 %p1, [%d1], 0;
  selp.b32 %r3, 1, 0, %p1;
  mbarrier.inval.b64 [%d1];
  st.global.v4.b32 [%p_out], {{%r0, %r1, %r2, %r3}};
END:""", {}, {"out": Output(16)}, arch="sm_90a", registers=declare(16))


def waits(cases):
    """Warp 1 waits for what warp 0 writes late."""
    for form in ("test_wait", "try_wait", "test_wait.parity", "try_wait.parity"):
        operand = "0" if "parity" in form else "%d0"
        cases.write(f"mbarrier.{form} for a late arrival", f"""{ADDRESSES}
  setp.eq.u32 %p0, %lane, 0;
  @%p0 mbarrier.init.shared::cta.b64 [%bar], 64;
{SYNC}
  shr.u32 %r0, %lane, 5;
  setp.ne.u32 %p2, %r0, 0;
  @%p2 bra READER;
  nanosleep.u32 20000;
  mad.lo.u32 %r2, %lane, 4, %m;
  mul.lo.u32 %r3, %lane, 11;
  st.shared.b32 [%r2], %r3;
  mbarrier.arrive.shared::cta.b64 _, [%bar];
  bra END;
READER:
  mbarrier.arrive.shared::cta.b64 %d0, [%bar];
WAIT:
  mbarrier.{form}.shared::cta.b64 %p1, [%bar], {operand};
  @!%p1 bra WAIT;
  bar.warp.sync -1;
  and.b32 %r1, %lane, 31;
  xor.b32 %r4, %r1, 31;
  mad.lo.u32 %r4, %r4, 4, %m;
  ld.shared.b32 %r5, [%r4];
  mad.wide.u32 %at, %r1, 4, %p_out;
  st.global.b32 [%at], %r5;
END:""", {}, {"out": Output(128)}, arch="sm_90a", block=64, registers=declare(128))


def phases(cases):
    """A word goes from warp to warp through five phases of one mbarrier, each warp adding its share in its turn."""
    turns = "\n".join(f"""  @%p{1 + turn % 2} ld.shared.b32 %r3, [%r2];
  @%p{1 + turn % 2} mad.lo.u32 %r3, %r3, {turn + 2}, %r1;
  @%p{1 + turn % 2} st.shared.b32 [%r2], %r3;
  mbarrier.arrive.shared::cta.b64 _, [%bar];
WAIT{turn}:
  mbarrier.try_wait.parity.shared::cta.b64 %p3, [%bar], {turn % 2};
  @!%p3 bra WAIT{turn};""" for turn in range(5))
    cases.write("mbarrier phases", f"""{ADDRESSES}
  setp.eq.u32 %p0, %lane, 0;
  @%p0 mbarrier.init.shared::cta.b64 [%bar], 64;
  and.b32 %r1, %lane, 31;
  mad.lo.u32 %r2, %r1, 4, %m;
  setp.lt.u32 %p1, %lane, 32;
  not.pred %p2, %p1;
  ld.global.b32 %r4, [%p_first];
  @%p1 st.shared.b32 [%r2], %r4;
{SYNC}
{turns}
  ld.shared.b32 %r3, [%r2];
  mad.wide.u32 %at, %lane, 4, %p_out;
  st.global.b32 [%at], %r3;""", {"first": words([7])}, {"out": Output(256)}, arch="sm_90a", block=64,
                registers=declare(128))
