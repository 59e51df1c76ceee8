#include "tests/simulated/mutants.h"

namespace attentune {
namespace {

// What forward_wgmma shares with forward_mma (masks, softmax, row ends) is mutated there. Classes are few, so that
// their references are computed once.
constexpr const char* causal_class = "dtype=bf16 heads=2/1 head_dim=32 seq=40/70 mask=causal() outputs=out,lse";
constexpr const char* two_slabs_class = "dtype=f16 heads=2/1 head_dim=72/88 seq=40/70 outputs=out,lse";

// Two consumers in turns, softmax beside products.
constexpr Specimen overlapped{
    causal_class,
    "tile_m=128 pack=no tile_n=64 stages_k=2 stages_v=2 overlap=yes turns=yes rescale=late store=threads | "
    "splits=1 order=1"};
constexpr Specimen four_stages{
    causal_class,
    "tile_m=128 pack=no tile_n=64 stages_k=4 stages_v=4 overlap=yes turns=yes rescale=late store=threads | "
    "splits=1 order=1"};
constexpr Specimen in_order{
    causal_class,
    "tile_m=128 pack=no tile_n=64 stages_k=1 stages_v=1 overlap=no turns=yes rescale=late store=threads | "
    "splits=1 order=2"};
constexpr Specimen three_in_turns{
    causal_class,
    "tile_m=192 pack=no tile_n=64 stages_k=2 stages_v=2 overlap=yes turns=yes rescale=late store=threads | "
    "splits=1 order=0"};
// Head dims of two slabs of 64 columns each, the second one in part.
constexpr Specimen two_slabs{
    two_slabs_class,
    "tile_m=64 pack=no tile_n=80 stages_k=2 stages_v=3 overlap=no turns=no rescale=late store=threads | "
    "splits=1 order=0"};
// O stored by copies, of one and of two slabs.
constexpr Specimen copied{
    causal_class,
    "tile_m=128 pack=no tile_n=64 stages_k=2 stages_v=2 overlap=yes turns=yes rescale=late store=copy | "
    "splits=1 order=1"};
constexpr Specimen two_slabs_copied{
    two_slabs_class,
    "tile_m=64 pack=no tile_n=64 stages_k=2 stages_v=2 overlap=no turns=no rescale=late "
    "store=copy | splits=1 order=0"};
constexpr Specimen rescaled_lazily{
    causal_class,
    "tile_m=128 pack=no tile_n=64 stages_k=2 stages_v=2 overlap=yes turns=yes rescale=lazy "
    "store=threads | splits=1 order=1"};
constexpr Specimen bounded_and_lazy{
    "dtype=f16 heads=4/2 head_dim=8 seq=40/70 mask=causal() score=softcap(15)",
    "tile_m=64 pack=no tile_n=96 stages_k=2 stages_v=2 overlap=yes turns=no rescale=lazy "
    "store=threads | splits=1 order=1"};
// Groups of 4 heads in a block, of rows more than one block takes.
constexpr Specimen packed{"dtype=bf16 heads=8/2 head_dim=32 seq=40/70 mask=window(9,0) outputs=out,lse",
                          "tile_m=64 pack=yes tile_n=64 stages_k=2 stages_v=2 overlap=yes turns=no rescale=late "
                          "store=copy | splits=1 order=1"};
constexpr Specimen packed_causal{causal_class,
                                 "tile_m=64 pack=yes tile_n=64 stages_k=2 stages_v=2 overlap=yes turns=no rescale=late "
                                 "store=threads | splits=1 order=1"};
constexpr Specimen split{causal_class,
                         "tile_m=64 pack=yes tile_n=64 stages_k=2 stages_v=2 overlap=yes turns=no rescale=late "
                         "store=threads | splits=2 order=1"};

}  // namespace

std::vector<Mutant> mutants_of_forward_wgmma() {
  return {
      // ---- The barriers of the stages.
      {"the producer waits for the wrong parity", &overlapped, "return parity ^ 1; }", "return parity; }",
       "deadlock: ", "wait for the mbarrier"},
      {"consumers wait for the wrong parity", &overlapped, "parity_to_empty() const { return parity; }",
       "parity_to_empty() const { return parity ^ 1; }", "uninitialized memory: ", "at shared 0x"},
      {"a parity that never turns", &overlapped, "      parity ^= (u32)stage;\n      stage ^= 1;\n",
       "      stage ^= 1;\n", "barrier: ", "", "race: "},
      {"bytes of V nobody expects", &overlapped, "arrive_expecting(memory.v.full(), VTile::BYTES);",
       "arrive(memory.v.full());", "race: ", "a wgmma reads"},
      {"half the bytes of K expected", &overlapped, "arrive_expecting(memory.k.full(), KTile::BYTES);",
       "arrive_expecting(memory.k.full(), KTile::BYTES / 2);", "deadlock: ", "-4096 bytes are missing"},
      {"more bytes of Q expected than come", &overlapped, "arrive_expecting(memory.q.full(), QTile::BYTES);",
       "arrive_expecting(memory.q.full(), QTile::BYTES + 16);", "deadlock: ", "16 bytes are missing"},
      {"barriers of V not initialized", &overlapped, "    memory.v.init();\n", "", "barrier: ", "there is no mbarrier"},
      {"barriers not published to the copy engine", &overlapped, "    publish_barriers();\n", "",
       "race: ", "neither fence.mbarrier_init nor fence.proxy.async"},
      {"no barrier of the block after the initialization", &overlapped,
       "    publish_barriers();\n  }\n  __syncthreads();\n", "    publish_barriers();\n  }\n",
       "barrier: |divergence: ", ""},
      {"a stage empty before its last warp released it", &overlapped,
       "init_barrier(barriers + (STAGES + stage) * 8, CONSUMER_WARPS);",
       "init_barrier(barriers + (STAGES + stage) * 8, CONSUMER_WARPS - 1);", "race: |barrier: ", ""},
      {"a stage that waits for one warp too many", &overlapped,
       "init_barrier(barriers + (STAGES + stage) * 8, CONSUMER_WARPS);",
       "init_barrier(barriers + (STAGES + stage) * 8, CONSUMER_WARPS + 1);", "deadlock: ", "1 of 9 arrivals"},
      {"every lane releases a stage", &overlapped, "    if (threadIdx.x % 32 == 0) {\n      arrive(empty());\n    }\n",
       "    arrive(empty());\n", "barrier: ", "nobody has seen phase"},
      {"Q copied before it was released", &overlapped, "  memory.q.wait_empty();\n", "",
       "barrier: ", "nobody has seen phase"},
      {"K copied before it was released", &overlapped, "  memory.k.wait_empty();\n", "", "barrier: ", "", "race: "},
      {"V copied before it was released", &overlapped, "  memory.v.wait_empty();\n", "",
       "race: ", "a bulk copy writes"},
      {"K released before its product ended", &overlapped, "      wait_products<1>();\n      memory.k.release();\n",
       "      memory.k.release();\n      wait_products<1>();\n", "race: ", "a bulk copy writes"},
      {"V released before its product ended", &overlapped,
       "      wait_products<0>();\n      settle(o[0]);\n      memory.v.release();\n      rescale",
       "      memory.v.release();\n      wait_products<0>();\n      settle(o[0]);\n      rescale",
       "race: ", "a bulk copy writes"},
      // V of a step is copied after K of the next: with one stage, where K of this step lay, which is released after
      // the
      // product with the V before.
      {"V released before its product ended, one stage of K", &in_order,
       "      wait_products<0>();\n      settle(o[0]);\n      memory.v.release();\n      step",
       "      memory.v.release();\n      wait_products<0>();\n      settle(o[0]);\n      step", "", ""},
      {"Q released after its first product", &four_stages, "    wait_products<0>();\n    memory.k.release();\n",
       "    wait_products<0>();\n    memory.k.release();\n    memory.q.release();\n", "race: ", "wgmma", nullptr,
       "    memory.q.release();\n    memory.v.wait_full();", "    memory.v.wait_full();"},
      // K of the next item is copied before Q: with two stages, where the last K of this item lay, which is released
      // after the last product with Q.
      {"Q released after its first product, two stages", &overlapped,
       "    wait_products<0>();\n    memory.k.release();\n",
       "    wait_products<0>();\n    memory.k.release();\n    memory.q.release();\n", "", "", nullptr,
       "    memory.q.release();\n    memory.v.wait_full();", "    memory.v.wait_full();"},
      {"consumers that do not wait for Q", &overlapped, "      memory.q.wait_full();\n", "",
       "race: |uninitialized memory: ", "a wgmma reads"},
      {"consumers that do not wait for K", &overlapped, "next_step() {\n    memory.k.wait_full();\n", "next_step() {\n",
       "uninitialized memory: |race: ", " shared "},
      {"consumers that do not wait for an item", &overlapped, "next_item() {\n    memory.k.wait_full();\n",
       "next_item() {\n", "uninitialized memory: ", "at shared 0x"},
      {"consumers that do not wait for V", &in_order, "      memory.v.wait_full();\n      wait_turn(number);\n",
       "      wait_turn(number);\n", "uninitialized memory: |race: ", "a wgmma reads"},

      // ---- What is copied where.
      {"stages of K that overlap", &overlapped, "K_OFFSET + k.place.stage * KTile::BYTES",
       "K_OFFSET + k.place.stage * KTile::BYTES / 2", "race: ", "a bulk copy writes"},
      {"V over K", &overlapped, "V_OFFSET = K_OFFSET + STAGES_K * KTile::BYTES,", "V_OFFSET = K_OFFSET,",
       "race: ", "a bulk copy writes"},
      {"barriers inside the last tile of V", &overlapped, "OUT_OFFSET = V_OFFSET + STAGES_V * VTile::BYTES,",
       "OUT_OFFSET = V_OFFSET + STAGES_V * VTile::BYTES - 256,",
       "race: ", "in the generic proxy, and no fence.proxy.async stands between"},
      {"key steps over the barriers of Q", &overlapped, "return start + STEPS_OFFSET + k.place.stage * KeyStep::BYTES;",
       "return start + BARRIERS_OFFSET;", "race: ", "of shared memory"},
      {"one key step for all stages", &overlapped, "return start + STEPS_OFFSET + k.place.stage * KeyStep::BYTES;",
       "return start + STEPS_OFFSET;", "race: ", "of shared memory"},
      {"a copy that tells the wrong barrier", &overlapped,
       "copy_slabs<VTile>(memory.v_tile(), maps.v, memory.v.full(),",
       "copy_slabs<VTile>(memory.v_tile(), maps.v, memory.k.full(),", "barrier: |uninitialized memory: ", "",
       "deadlock: "},
      {"a copy for every lane of a warp", &overlapped, "if (threadIdx.x == 0) {\n      produce_tiles",
       "if (threadIdx.x < 32) {\n      produce_tiles", "race: ", "these lanes write byte"},
      {"the second slab not copied", &two_slabs, "slab < Tile::SLABS; ++slab", "slab < 1; ++slab",
       "deadlock: ", "0 of 1 arrivals and 10240 bytes are missing"},
      {"all slabs copied to one place", &two_slabs, "tile + (u32)(slab * Tile::SLAB_BYTES), map", "tile, map",
       "race: ", "a bulk copy writes"},
      {"columns of the first slab copied again", &two_slabs, "barrier, slab * Tile::SLAB_COLUMNS, head",
       "barrier, 0, head", "LSE error", ""},
      {"keys copied one late", &overlapped, "memory.k.full(), at.head, tile * TILE_N,",
       "memory.k.full(), at.head, tile * TILE_N + 1,", "LSE error", ""},
      {"V of the query's head number", &overlapped, "place_of_keys(args, args.v_stride, item);",
       "place_of_queries(args, args.v_stride, item);", "RMSE", ""},

      // ---- What the producer tells the consumers.
      {"a key step told after the arrival", &overlapped,
       "    store_step(memory.step(), index, {tile, partial_consumers(args, item, tile)});\n    "
       "arrive_expecting(memory.k.full(), KTile::BYTES);\n",
       "    arrive_expecting(memory.k.full(), KTile::BYTES);\n    store_step(memory.step(), index, {tile, "
       "partial_consumers(args, item, tile)});\n",
       "race: ", "of shared memory"},
      {"the sentinel dropped", &overlapped, "    store_step(memory.step(), index, {TileSequence::END, 0});\n",
       "    return;\n", "deadlock: ", "wait for the mbarrier"},
      {"a sentinel without arrival", &overlapped, "    arrive(memory.k.full());\n", "",
       "deadlock: ", "wait for the mbarrier"},
      {"the sentinel never released", &overlapped, "    memory.k.release();  // the end's\n", "",
       "deadlock: |no progress: ", "wait for the mbarrier"},
      {"the first tile told once more instead of the sentinel", &overlapped,
       "store_step(memory.step(), index, {TileSequence::END, 0});", "store_step(memory.step(), index, {0, 0});",
       "deadlock: ", "wait at barrier"},
      {"the mask of another consumer", &overlapped, "<< consumer;", "<< (1 - consumer);", "LSE error", ""},
      // Mask code where none is needed: always allowed.
      {"the rows of the first consumer for all", &overlapped, "const int first = min(consumer * 64, item.rows - 1);",
       "const int first = 0;", "", ""},
      {"the last row of a consumer for all", &overlapped, "const int first = min(consumer * 64, item.rows - 1);",
       "const int first = min(consumer * 64 + 63, item.rows - 1);", "LSE error", ""},

      // ---- Items.
      {"the number of the item after", &overlapped, "KeyStep::ITEM_OFFSET), \"r\"(item)",
       "KeyStep::ITEM_OFFSET), \"r\"(item + 1)", "out of bounds: ", "past the end of"},
      {"items that never end", &overlapped, "  produce_k(memory, args, maps, NO_ITEM, {}, TileSequence::END);\n", "",
       "deadlock: ", "wait for the mbarrier"},
      {"items left out", &overlapped, "index += gridDim.x;", "index += gridDim.x + 1;", "wrote NaN", ""},
      {"items computed by all blocks", &overlapped, "index += gridDim.x;", "index += 1;",
       "race: ", "of lse that was written by warp"},
      {"the last item left out", &overlapped, "return index < count;", "return index + 1 < count;", "wrote NaN", ""},
      {"an item past the last", &overlapped, "return index < count;", "return index <= count;",
       "out of bounds: ", "past the end of lse"},

      // ---- Turns.
      {"turns never begun", &overlapped, "  begin_turns(number);\n", "", "deadlock: ", "wait at barrier"},
      {"a turn never passed on", &overlapped, "      issue_pv();\n      pass_turn(number);\n", "      issue_pv();\n",
       "deadlock: ", "wait at barrier"},
      {"a turn passed to the wrong consumer", &three_in_turns, "if (consumer == CONSUMERS - 1) {\n      arrive_named",
       "if (consumer == 0) {\n      arrive_named", "barrier: ", "arrives a second time at barrier"},
      {"a turn for one warpgroup", &overlapped, "? THREADS : 2 * WARPGROUP;", "? THREADS : WARPGROUP;",
       "deadlock: |barrier: ", ""},
      // An arrival nobody waits for, when the block ends.
      {"the last turn never taken", &overlapped, "  end_turns(number);\n", "", "", ""},
      {"a turn not waited for", &overlapped, "      wait_turn(number);\n      issue_qk();\n", "      issue_qk();\n",
       "barrier: ", "arrives a second time at barrier"},

      // ---- Products and their registers.
      {"S read before its product ended", &overlapped, "      wait_products<1>();\n", "",
       "barrier: ", "an accumulator of a wgmma that is under way"},
      {"one product too many left pending", &overlapped, "wait_products<1>();", "wait_products<2>();",
       "barrier: ", "an accumulator of a wgmma that is under way"},
      {"O rescaled before its product ended", &in_order,
       "      wait_products<0>();\n      settle(o[0]);\n      memory.v.release();\n      step",
       "      settle(o[0]);\n      memory.v.release();\n      step",
       "barrier: ", "an accumulator of a wgmma that is under way"},
      {"O rescaled beside its product", &overlapped, "      issue_pv();\n      pass_turn(number);\n",
       "      issue_pv();\n      rescale_o();\n      pass_turn(number);\n",
       "barrier: ", "an accumulator of a wgmma that is under way"},
      {"products never committed", &overlapped, "asm volatile(\"wgmma.commit_group.sync.aligned;\" : : : \"memory\");",
       "", "barrier: ", "an accumulator of a wgmma that is under way"},
      {"no fence before products", &overlapped, "  asm volatile(\"wgmma.fence.sync.aligned;\" : : : \"memory\");\n", "",
       "barrier: ", "no wgmma.fence stands before"},
      {"lanes not brought together before products", &overlapped, "  __syncwarp();\n  asm volatile(\"wgmma.fence",
       "  asm volatile(\"wgmma.fence", "divergence: ", "without a bar.warp.sync between"},
      {"S added to what was there", &overlapped, "wgmma_qk<0>", "wgmma_qk<1>", "LSE error", ""},
      {"O of the last tile alone", &overlapped, "wgmma_pv<1>", "wgmma_pv<0>", "RMSE", ""},
      {"O not cleared for an item", &overlapped, "        o[0][n][e] = 0;\n", "", "RMSE", ""},
      {"O not rescaled", &overlapped, "      memory.v.release();\n      rescale_o();\n", "      memory.v.release();\n",
       "RMSE", ""},
      {"P of halves exchanged", &overlapped, "&p[0][2 * step + r / 2][r % 2 * 2]", "&p[0][2 * step + r % 2][r / 2 * 2]",
       "RMSE", ""},
      {"more registers asked for than there are", &overlapped, "CONSUMER_REGISTERS = 240", "CONSUMER_REGISTERS = 248",
       "deadlock: ", "wait for registers in setmaxnreg"},
      {"the producer keeps its registers", &overlapped, "    give_registers_up<PRODUCER_REGISTERS>();\n", "",
       "deadlock: ", "wait for registers in setmaxnreg"},
      {"registers given up by one warp", &overlapped, "    give_registers_up<PRODUCER_REGISTERS>();\n",
       "    if (warp == 0) give_registers_up<PRODUCER_REGISTERS>();\n",
       "divergence: ", "is executed by whole warpgroups"},

      // ---- Descriptors: how products find their operands.
      {"rows of Q and K half as far apart", &overlapped, "return matrix_descriptor(address, 16, EIGHT_ROWS);",
       "return matrix_descriptor(address, 16, EIGHT_ROWS / 2);", "LSE error", ""},
      {"rows of V half as far apart", &overlapped, "return matrix_descriptor(address, SLAB_BYTES, EIGHT_ROWS);",
       "return matrix_descriptor(address, SLAB_BYTES, EIGHT_ROWS / 2);", "RMSE", ""},
      {"slabs of V taken to lie side by side", &two_slabs, "return matrix_descriptor(address, SLAB_BYTES, EIGHT_ROWS);",
       "return matrix_descriptor(address, EIGHT_ROWS, EIGHT_ROWS);", "RMSE", ""},
      // V of up to 64 columns is one slab: there is no next one to be found.
      {"the distance of slabs where there is one", &overlapped,
       "return matrix_descriptor(address, SLAB_BYTES, EIGHT_ROWS);",
       "return matrix_descriptor(address, EIGHT_ROWS, EIGHT_ROWS);", "", ""},
      {"slabs of Q and K taken to lie side by side", &two_slabs, "step / STEPS_A_SLAB * SLAB_BYTES",
       "step / STEPS_A_SLAB * ROW_BYTES", "bad operand: ", "no multiple of 1024 bytes"},
      {"a step of half its columns", &overlapped, "STEP_BYTES = 16 * 2,", "STEP_BYTES = 16,", "LSE error", ""},
      {"a step of half its rows", &overlapped, "return step * 16 * ROW_BYTES;", "return step * 8 * ROW_BYTES;", "RMSE",
       ""},
      {"an operand one chunk on", &overlapped, "VTile::summed_over_rows(memory.v_tile())",
       "VTile::summed_over_rows(memory.v_tile() + 16)", "RMSE", ""},
      {"an operand taken for unswizzled", &overlapped, " | 1u << 30};", "};",
       "race: |uninitialized memory: ", "a wgmma reads"},
      {"V not transposed by the product", &overlapped, "accumulate, 1, 1, 1;", "accumulate, 1, 1, 0;",
       "race: |uninitialized memory: ", "a wgmma reads"},
      {"the rows of the first consumer multiplied by all", &overlapped,
       "memory.q_tile() + number * 64 * QTile::ROW_BYTES", "memory.q_tile()", "LSE error", ""},

      // ---- The store of O and LSE.
      {"a row of O past the end stored", &overlapped, "row < item.rows, place.lane);", "row <= item.rows, place.lane);",
       "out of bounds: ", "past the end of out"},
      {"blocks of O past the row stored", &two_slabs, "if (exists && block < OUT_BLOCKS) {", "if (exists) {",
       "race: ", "of out that was written by warp"},
      {"half of a quad's exchange left out", &overlapped,
       "  exchange_pair(registers[1], registers[3], second_pair, 2);\n", "", "RMSE", ""},
      {"lanes that send what they keep", &overlapped, "upper ? low : high, distance)", "upper ? high : low, distance)",
       "RMSE", ""},
      {"rows of the wrong warpgroup stored", &overlapped,
       "const WarpPlace place = warp_place(computed_here(threadIdx.x) - WARPGROUP);",
       "const WarpPlace place = warp_place(computed_here(threadIdx.x));", "LSE error", ""},
      {"statistics of the item before", &overlapped, "    begin_rows(statistics);\n", "", "LSE error", ""},

      // ---- The store of O by copies.
      {"O written before the copy of the item before has read", &copied,
       "  wait_stores_read();  // those of the item before, which lane 0 began\n", "",
       "race: ", "was read by a bulk copy"},
      {"a block that ends before its copies of O have read", &copied,
       "  wait_stores_read();  // shared memory ends with the block\n", "", "barrier: ", "the thread exits"},
      {"O not published to the copy engine", &copied, "  publish_to_copies();\n  __syncwarp();", "  __syncwarp();",
       "race: ", "in the generic proxy"},
      // The lanes of a warp are together there, and the simulator knows no order of theirs to be wrong.
      {"lanes not brought together before O is copied", &copied, "  publish_to_copies();\n  __syncwarp();\n",
       "  publish_to_copies();\n", "", ""},
      {"the group of stores never closed", &copied, "    commit_stores();\n", "", "race: ", "was read by a bulk copy"},
      {"every lane copies O", &copied, "  if (place.lane == 0) {\n    const MapPlace", "  {\n    const MapPlace",
       "race: ", "of out that was written by a bulk copy"},
      {"O of every warp in one place", &copied, "OUT_OFFSET + warp * OutTile::BYTES", "OUT_OFFSET",
       "race: ", "of shared memory"},
      {"O over the last tile of V", &copied, "OUT_OFFSET = V_OFFSET + STAGES_V * VTile::BYTES,",
       "OUT_OFFSET = V_OFFSET + (STAGES_V - 1) * VTile::BYTES,", "race: ", "wgmma"},
      {"rows of O 16 further", &copied, "query_of(item.first_row + place.first_row), at.batch",
       "query_of(item.first_row + place.first_row + 16), at.batch", "wrote NaN", ""},
      {"O written without the swizzle", &copied, "((block ^ row) % 8) * 16", "(block % 8) * 16", "RMSE", ""},
      {"halves of O exchanged", &copied, "const int half = b % 2;\n", "const int half = 1 - b % 2;\n", "RMSE", ""},
      {"the second slab of O not copied", &two_slabs_copied,
       "for (int slab = 0; slab < OutTile::SLABS; ++slab) {\n      store_box",
       "for (int slab = 0; slab < 1; ++slab) {\n      store_box", "wrote NaN", ""},
      {"the second slab of O over the first", &two_slabs_copied, "slab * OutTile::SLAB_COLUMNS, at.head,\n",
       "0, at.head,\n", "race: ", "of out that was written by a bulk copy"},

      // ---- Lazy rescaling.
      {"the first maxima kept for ever", &rescaled_lazily, "> growth_allowed();", "> 3e38f;", "wrote NaN", ""},
      {"O not rescaled when maxima grew", &rescaled_lazily,
       "    if (grew) {\n      rescale_output(o, rescale);\n    }\n", "", "RMSE", "large magnitudes"},
      {"O not rescaled under bounded scores", &bounded_and_lazy,
       "    if (grew) {\n      rescale_output(o, rescale);\n    }\n", "", "max error", "scores that rise late"},
      {"new maxima, and O as it was", &rescaled_lazily, "maxima[0][half] = grew ? maxima[0][half] : rows.max[0][half];",
       "maxima[0][half] = maxima[0][half];", "RMSE", ""},
      // The lanes of a row have the same maximum; each row may decide for itself, only more slowly.
      {"each row for itself", &rescaled_lazily, "  grew = __any_sync(0xffffffff, grew);\n", "", "", ""},

      // ---- Packed groups.
      {"Q of a pack at its row instead of its query", &packed, "at.head, query_of(item.first_row), at.batch",
       "at.head, item.first_row, at.batch", "LSE error", ""},
      {"O of a pack at its row instead of its query", &packed, "query_of(item.first_row + place.first_row), at.batch",
       "item.first_row + place.first_row, at.batch", "wrote NaN", ""},
      {"rows of a pack taken for queries when keys are classed", &packed_causal,
       "return {query_of(item.first_row + first) + shift, query_of(item.first_row + last) + shift};",
       "return {item.first_row + first + shift, item.first_row + last + shift};", "LSE error", ""},
      {"keys of a pack as far as its rows, not its queries", &packed,
       "const Rows rows{query_of(item.first_row) + shift, query_of(item.first_row + item.rows - 1) + shift};",
       "const Rows rows{item.first_row + shift, item.first_row + item.rows - 1 + shift};", "LSE error", ""},

      // ---- Split keys.
      {"every split walks all keys", &split, "part_of(tile_sequence(args, rows), item.split, split_count(args))",
       "tile_sequence(args, rows)", "LSE error", ""},
      {"the share of another split", &split, "part_of(tile_sequence(args, rows), item.split, split_count(args))",
       "part_of(tile_sequence(args, rows), 0, split_count(args))", "LSE error", ""},
      {"shares stored as if they were all", &split, "if (split_count(args) > 1) {", "if (split_count(args) > 64) {",
       "race: ", "of lse"},
      {"the workspace of one split for all", &split, "(i64)(item.split * args.batch + item.batch)", "(i64)(item.batch)",
       "race: ", "of workspace partial_"},
      {"lanes not brought together after a share", &split, "  __syncwarp();  // products of the next item may follow\n",
       "", "", ""},
  };
}

}  // namespace attentune
