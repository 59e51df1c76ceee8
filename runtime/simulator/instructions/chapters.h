// The instruction forms, a file a group of sections of PTX ISA 9.0, chapter 9.7.
#pragma once

#include "runtime/simulator/decode/registry.h"

namespace attentune::simulator {

void register_integer(Registry& registry);        // 9.7.1
void register_floating(Registry& registry);       // 9.7.3
void register_half(Registry& registry);           // 9.7.4
void register_comparison(Registry& registry);     // 9.7.6, 9.7.7
void register_logic(Registry& registry);          // 9.7.8
void register_movement(Registry& registry);       // 9.7.9: mov, prmt, cvta, isspacep
void register_conversion(Registry& registry);     // 9.7.9.21
void register_memory(Registry& registry);         // 9.7.9: ld, st, prefetch
void register_control(Registry& registry);        // 9.7.12, 9.7.19
void register_barriers(Registry& registry);       // 9.7.13.1, .2, .4
void register_mbarriers(Registry& registry);      // 9.7.13.15
void register_async_copies(Registry& registry);   // 9.7.9.25
void register_atomics(Registry& registry);        // 9.7.13.5, .6
void register_warp_exchange(Registry& registry);  // 9.7.9.6, 9.7.13.9 to .14
void register_matrix(Registry& registry);         // 9.7.14
void register_cluster(Registry& registry);        // 9.7.9.23, .24, 9.7.13.13
void register_wgmma(Registry& registry);          // 9.7.15
void register_registers(Registry& registry);      // 9.7.19.5

}  // namespace attentune::simulator
