// The power limit of a GPU, from NVIDIA's management library, where there is one.
#pragma once

#include <string>

namespace attentune::cuda {

// "" when the GPU runs at its default limit or nobody can tell, else the limit in steps of 50 W: "500W". GPUs of one
// name that may draw different power are different devices for a Winner.
[[nodiscard]] std::string power_class(const std::string& pci_bus_id);

}  // namespace attentune::cuda
