"""PTX without some of its waits, barriers and fences."""

import re
from dataclasses import dataclass

# What a line may begin with that goes alone. A loop of try_wait goes with its branch; of an mbarrier that is told to
# expect bytes, the arrival stays.
_ALONE = ("bar.sync", "barrier.sync", "cp.async.wait_group", "wgmma.fence", "wgmma.wait_group", "fence.proxy.async",
          "cp.async.bulk.wait_group")
_EXPECTED_BYTES = re.compile(r"mbarrier\.arrive\.expect_tx\.shared\.b64 _, (\[%r\d+\]), \d+;")


@dataclass(frozen=True)
class Place:
    line: int
    what: str
    instead: tuple  # of this line and those after it


def places(ptx):
    found = []
    for number, line in enumerate(ptx.split("\n"), 1):
        given = line.strip()
        alone = next((what for what in _ALONE if given.startswith(what)), None)
        if alone:
            found.append(Place(number, alone, ("",)))
        elif given.startswith("mbarrier.try_wait"):
            found.append(Place(number, "mbarrier.try_wait", ("", "")))
        elif _EXPECTED_BYTES.search(given):
            found.append(Place(number, "expect_tx", (_EXPECTED_BYTES.sub(r"mbarrier.arrive.shared.b64 _, \1;", line),)))
    return found


def without(ptx, taken):
    lines = ptx.split("\n")
    for place in taken:
        lines[place.line - 1:place.line - 1 + len(place.instead)] = place.instead
    return "\n".join(lines)
