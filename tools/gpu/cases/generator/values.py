"""Edge values of each type, and tuples of operands made of them."""

LANES = 32

# Zeros, ones, subnormals, the largest numbers, infinities, NaN (quiet, signalling, negative) and plain values.
F32 = [0x00000000, 0x80000000, 0x3F800000, 0xBF800000, 0x00000001, 0x807FFFFF, 0x00800000, 0x7F7FFFFF, 0xFF7FFFFF,
       0x7F800000, 0xFF800000, 0x7FC00000, 0x7FA00000, 0xFFC12345, 0x40490FDB, 0x4B000001]
F16 = [0x0000, 0x8000, 0x3C00, 0xBC00, 0x0001, 0x83FF, 0x0400, 0x7BFF, 0xFBFF, 0x7C00, 0xFC00, 0x7E00, 0x7D00, 0xFE12,
       0x3C01, 0x4248]
BF16 = [0x0000, 0x8000, 0x3F80, 0xBF80, 0x0001, 0x807F, 0x0080, 0x7F7F, 0xFF7F, 0x7F80, 0xFF80, 0x7FC0, 0x7FA0, 0xFFC1,
        0x3F81, 0x4049]
S32 = [0, 1, 2, 31, 32, 33, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x80000001, 0x12345678, 0xDEADBEEF, 0x0000FFFF, 0x00FF00FF]
S64 = [0, 1, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFFF, 0x123456789ABCDEF0, 0xFFFFFFFF, 0x100000000]
S16 = [0, 1, 2, 15, 16, 0x7FFF, 0x8000, 0xFFFF, 0x8001, 0x1234, 0xBEEF, 0x00FF]
PREDICATES = [0, 1, 1]
# Neither zeros nor infinities nor NaN: which NaN an invalid operation of doubles gives depends on the simulator's host.
F64 = [0x3FF0000000000000, 0xBFF0000000000000, 0x0000000000000001, 0x800FFFFFFFFFFFFF, 0x0010000000000000,
       0x7FEFFFFFFFFFFFFF, 0xFFEFFFFFFFFFFFFF, 0x400921FB54442D18, 0x4340000000000001, 0x3FF0000000000001]
E4M3 = [0x00, 0x80, 0x01, 0x07, 0x08, 0x38, 0xB8, 0x7E, 0xFE, 0x7F, 0xFF, 0x39, 0x4C, 0xC5]
E5M2 = [0x00, 0x80, 0x01, 0x03, 0x04, 0x3C, 0xBC, 0x7B, 0xFB, 0x7C, 0xFC, 0x7E, 0x41, 0xC3]
FINITE = [value for value in F32 if value & 0x7F800000 != 0x7F800000]


def pairs(halves):
    """Packed pairs in which every value stands in both halves beside another."""
    return [low | halves[(i + 5) % len(halves)] << 16 for i, low in enumerate(halves)]


class Random:
    """A small generator whose numbers are the same everywhere (SplitMix64)."""

    def __init__(self, seed):
        self.state = seed

    def bits(self, count):
        mask = (1 << 64) - 1
        self.state = (self.state + 0x9E3779B97F4A7C15) & mask
        z = self.state
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & mask
        z = (z ^ z >> 27) * 0x94D049BB133111EB & mask
        return (z ^ z >> 31) >> (64 - count)


def operands(*sources):
    """A tuple a lane: each value of the longest source, with the others' in step and then with ones drawn at random."""
    if len(sources) == 1:
        return [(value,) for value in sources[0]]
    random = Random(len(sources))
    count = max(len(source) for source in sources)
    tuples = []
    for shift in range(2):
        for i in range(0, count, shift + 1):
            tuples.append(tuple(source[(i if shift == 0 or n == 0 else random.bits(16)) % len(source)]
                                for n, source in enumerate(sources)))
    return list(dict.fromkeys(tuples))
