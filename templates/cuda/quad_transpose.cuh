// Exchanges four registers among the four lanes of a quad: lane t gets register t of every lane, in the order of the
// lanes. Two rounds of two exchanges each, as of any 4 x 4 matrix by halves. All lanes of the warp.
INLINE void exchange_pair(u32& low, u32& high, bool upper, int distance) {
  const u32 received = __shfl_xor_sync(0xffffffff, upper ? low : high, distance);
  (upper ? low : high) = received;
}

INLINE void transpose_quad(u32 (&registers)[4], int lane) {
  const bool odd = lane & 1;
  const bool second_pair = lane & 2;
  exchange_pair(registers[0], registers[1], odd, 1);
  exchange_pair(registers[2], registers[3], odd, 1);
  exchange_pair(registers[0], registers[2], second_pair, 2);
  exchange_pair(registers[1], registers[3], second_pair, 2);
}
