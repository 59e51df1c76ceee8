"""What the PTX ISA asks for and Triton leaves out of its Hopper code, and the PTX with it. As compiled, such a kernel
must be stopped by the simulator; with what is missing put in, all else of it can be run."""

import re
from dataclasses import dataclass
from typing import Callable


@dataclass(frozen=True)
class LeftOut:
    put_in: Callable[[str], str]
    stopped_by: str  # a part of the simulator's sentence


def _fence_copies(ptx):
    return re.sub(r"(cp\.async\.wait_group\s+\d+;)", r"\1\n\tfence.proxy.async.shared::cta;", ptx)


def _move_register_fences(ptx):
    """Each wgmma.fence to the product that follows it."""
    lines, moving = [], False
    for line in ptx.split("\n"):
        if line.strip().startswith("wgmma.fence"):
            moving = True
            continue
        if moving and line.strip().startswith("wgmma.mma_async"):
            lines.append("\twgmma.fence.sync.aligned;")
            moving = False
        lines.append(line)
    return "\n".join(lines)


# cp.async writes shared memory in the generic proxy, wgmma reads it in the async proxy: sections 9.7.15.4 and
# 9.7.15.7.1 want a fence between. Triton sets one after st.shared, not after cp.async.
PROXY_FENCE = LeftOut(_fence_copies, "of shared memory that was written by a cp.async of warp")
# Registers of a product may not be touched after wgmma.fence (section 9.7.15.7.1). LLVM moves a copy of one there, where
# two accumulators begin with the same value.
REGISTER_FENCE = LeftOut(_move_register_fences, "was read or written after the last wgmma.fence")


def put_in(ptx, missing):
    for one in missing:
        ptx = one.put_in(ptx)
    return ptx
