#include "runtime/simulator/ptx/special_registers.h"

#include <algorithm>
#include <array>

namespace attentune::ptx {
namespace {

constexpr std::array<std::string_view, 29> scalars = {"%laneid",
                                                      "%warpid",
                                                      "%nwarpid",
                                                      "%smid",
                                                      "%nsmid",
                                                      "%gridid",
                                                      "%lanemask_eq",
                                                      "%lanemask_le",
                                                      "%lanemask_lt",
                                                      "%lanemask_ge",
                                                      "%lanemask_gt",
                                                      "%clock",
                                                      "%clock_hi",
                                                      "%clock64",
                                                      "%globaltimer",
                                                      "%globaltimer_lo",
                                                      "%globaltimer_hi",
                                                      "%total_smem_size",
                                                      "%aggr_smem_size",
                                                      "%dynamic_smem_size",
                                                      "%cluster_ctarank",
                                                      "%cluster_nctarank",
                                                      "%is_explicit_cluster",
                                                      "%current_graph_exec",
                                                      "%reserved_smem_offset_begin",
                                                      "%reserved_smem_offset_end",
                                                      "%reserved_smem_offset_cap",
                                                      "%reserved_smem_offset_0",
                                                      "%reserved_smem_offset_1"};

// Read by component: ".x", ".y" or ".z".
constexpr std::array<std::string_view, 8> vectors = {"%tid",       "%ntid",       "%ctaid",         "%nctaid",
                                                     "%clusterid", "%nclusterid", "%cluster_ctaid", "%cluster_nctaid"};

template <std::size_t count>
bool among(const std::array<std::string_view, count>& names, std::string_view name) noexcept {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

bool is_special_register(std::string_view name) noexcept {
  if (among(scalars, name))
    return true;
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos || !among(vectors, name.substr(0, dot)))
    return false;
  const std::string_view component = name.substr(dot);
  return component == ".x" || component == ".y" || component == ".z";
}

}  // namespace attentune::ptx
