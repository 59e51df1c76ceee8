// What wgmma knows of an operand in shared memory with the 128-byte swizzle: where its first element lies, and two
// distances (PTX ISA 9.7.15.5.1.2.2). All are in units of 16 bytes; a step inside the operand is a step of the low
// word, which cannot overflow into the next field because a block's shared memory ends below 2^18. Above those 18 bits
// a cluster's blocks have their number, which is no part of the descriptor.
struct MatrixDescriptor {
  u32 low;   // bits 0-13 address, 16-29 leading distance
  u32 high;  // bits 32-45 stride distance, 62-63 swizzle: 1 is that of 128 bytes

  INLINE u64 bits() const { return (u64)high << 32 | low; }
  INLINE MatrixDescriptor moved(int bytes) const { return {low + (u32)(bytes / 16), high}; }
};

INLINE MatrixDescriptor matrix_descriptor(u32 address, int leading_bytes, int stride_bytes) {
  return {(address & 0x3ffff) / 16 | (u32)(leading_bytes / 16) << 16, (u32)(stride_bytes / 16) | 1u << 30};
}
