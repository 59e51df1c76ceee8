// attentune_forward: attention forward on Hopper's asynchronous units (FlashAttention-3, Shah et al. 2024). One
// warpgroup, the producer, has tiles copied by the tensor memory accelerator; the others, the consumers, compute 64
// rows each with wgmma. They meet at mbarriers only. Blocks stay and take item after item.
extern "C" __global__ void __launch_bounds__(THREADS, 1)
    attentune_forward(const __grid_constant__ AttentionArgs args, const __grid_constant__ TensorMap q_map,
                      const __grid_constant__ TensorMap k_map, const __grid_constant__ TensorMap v_map,
                      const __grid_constant__ TensorMap out_map) {
  extern __shared__ __align__(1024) unsigned char shared[];
  BlockMemory memory = block_memory(shared, args);
  init_block_memory(memory);

  const int warp = uniform_warp();
  if (warp < 4) {
    give_registers_up<PRODUCER_REGISTERS>();
    if (threadIdx.x == 0) {
      produce_tiles(memory, args, {q_map, k_map, v_map});
    }
    return;
  }
  take_registers<CONSUMER_REGISTERS>();
  consume_tiles(memory, args, out_map, warp / 4 - 1);
}
