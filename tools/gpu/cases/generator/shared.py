"""What kernels with shared memory have in common: registers, the way in and out, mbarriers. PTX as text."""

import struct

from generator.values import LANES

# %m is the address of the shared memory `memory`, %bar of an mbarrier.
REGISTERS = "  .reg .pred %p<8>;\n  .reg .b16 %h<8>;\n  .reg .b32 %r<40>, %m, %bar;\n  .reg .b64 %d<16>;"


def declare(size):
    return f"{REGISTERS}\n  .shared .align 1024 .b8 memory[{size}];\n  .shared .align 8 .b64 barrier;"


ADDRESSES = "  mov.u32 %m, memory;\n  mov.u32 %bar, barrier;"
PROXY_FENCE = "  fence.proxy.async.shared::cta;"
SYNC = "  bar.sync 0;"


def pattern(size, step=7):
    """Bytes whose neighbours near and far differ."""
    return bytes((i * step + i // 251 * 13 + 1) & 255 for i in range(size))


def words(values):
    return struct.pack(f"<{len(values)}I", *(value & 0xFFFFFFFF for value in values))


def _chunks(size, threads):
    """Guard and offset of every 16 bytes a thread."""
    for first in range(0, size, 16 * threads):
        left = (size - first) // 16
        if left < threads:
            yield f"  setp.lt.u32 %p7, %lane, {left};\n", "@%p7 ", first
        else:
            yield "", "", first


def copy_in(buffer, size, threads=LANES, to=0):
    """The first `size` bytes of a buffer to shared memory, where copies and products may read them afterwards."""
    lines = [f"  mad.wide.u32 %at, %lane, 16, %p_{buffer};\n  mad.lo.u32 %r39, %lane, 16, %m;"]
    for test, guard, at in _chunks(size, threads):
        lines.append(f"{test}  {guard}ld.global.v4.b32 {{%r35, %r36, %r37, %r38}}, [%at+{at}];\n"
                     f"  {guard}st.shared.v4.b32 [%r39+{at + to}], {{%r35, %r36, %r37, %r38}};")
    return "\n".join([*lines, PROXY_FENCE, SYNC])


def copy_out(buffer, size, threads=LANES, start=0):
    lines = [f"  mad.wide.u32 %at, %lane, 16, %p_{buffer};\n  mad.lo.u32 %r39, %lane, 16, %m;"]
    for test, guard, at in _chunks(size, threads):
        lines.append(f"{test}  {guard}ld.shared.v4.b32 {{%r35, %r36, %r37, %r38}}, [%r39+{at + start}];\n"
                     f"  {guard}st.global.v4.b32 [%at+{at}], {{%r35, %r36, %r37, %r38}};")
    return "\n".join(lines)


def init_barrier(count=1):
    """%p0 is set for thread 0 alone."""
    return f"""  setp.eq.u32 %p0, %lane, 0;
  @%p0 mbarrier.init.shared::cta.b64 [%bar], {count};
  fence.proxy.async;
  bar.sync 0;"""


def wait(parity=0, label="WAIT"):
    return f"""{label}:
  mbarrier.try_wait.parity.shared::cta.b64 %p1, [%bar], {parity};
  @!%p1 bra {label};"""


def store_words(registers, first=0):
    """By one thread: a word a register."""
    return "\n".join(f"  st.global.b32 [%p_out+{4 * (first + i)}], {each};" for i, each in enumerate(registers))
