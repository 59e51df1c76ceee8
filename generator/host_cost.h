// What a Config of forward_host is predicted to need and to cost, before it is compiled.
#pragma once

#include "generator/host_config.h"
#include "generator/kernel_family.h"

namespace attentune::host {

[[nodiscard]] Resources predict(const Problem& problem, const Arch& arch, const HostConfig& config);

}  // namespace attentune::host
