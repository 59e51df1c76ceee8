// LaunchRules to and from JSON values: shared by launch_rule.cpp and binary.cpp.
#pragma once

#include <vector>

#include <nlohmann/json.hpp>

#include "generator/launch_rule.h"

namespace attentune {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(WorkspaceSlice, name, bytes, per_worker)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(TensorMapSpec, tensor, box, swizzle)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LaunchRule, entry, grid, block, cluster, shared_bytes, parameters, tensor_maps,
                                   workspace, depends_on_previous)

}  // namespace attentune
