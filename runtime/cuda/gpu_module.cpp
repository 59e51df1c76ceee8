#include "runtime/cuda/gpu_module.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "generator/error.h"
#include "runtime/cuda/cubin.h"

namespace attentune::cuda {
namespace {

[[noreturn]] void refuse(const std::string& sentence) { throw Error(Status::device_failed, sentence); }

// "args", or "tensor_map:<n>".
int parameter_of(const std::string& text, const LaunchRule& rule) {
  constexpr std::string_view map = "tensor_map:";
  if (text == "args")
    return GpuEntry::arguments;
  int index = -1;
  if (text.starts_with(map))
    std::from_chars(text.data() + map.size(), text.data() + text.size(), index);
  if (index < 0 || index >= std::ssize(rule.tensor_maps))
    refuse(fmt::format("entry {} takes '{}', which is nothing a GPU kernel takes; run: attentune cache verify",
                       rule.entry, text));
  return index;
}

// Checked before the driver sees the file: a cubin of another GPU or a damaged one is a miss, not a crash.
void check_cubin(const Binary& binary, const GpuFacts& gpu, const Driver& driver) {
  const Cubin cubin = read_cubin(binary.object);
  // Compute capabilities of one family share a cubin: 10.0 and 10.3, 12.0 and 12.1.
  const bool fits = std::ranges::any_of(gpu_arch_table(), [&](const GpuArch& row) {
    return 10 * row.major + row.minor == cubin.sm && row.target == gpu.arch.name;
  });
  if (!fits)
    refuse(fmt::format("the kernel was compiled for sm_{} and this GPU needs {}; it is compiled again when next needed",
                       cubin.sm, gpu.arch.name));
  if (binary.minimum_driver > 0 && binary.minimum_driver / 1000 > driver.version() / 1000)
    refuse(fmt::format(
        "{} made this kernel, and it needs a driver for CUDA {}; this one is for {}.{}. It is compiled "
        "again with an older NVRTC if there is one; else update the driver",
        binary.compiler, binary.minimum_driver / 1000, driver.version() / 1000, driver.version() % 1000 / 10));
}

}  // namespace

GpuModule::GpuModule(std::shared_ptr<const GpuContext> context, const GpuFacts& gpu, const Binary& binary)
    : context_(std::move(context)) {
  const Driver& driver = context_->driver();
  check_cubin(binary, gpu, driver);
  const GpuContext::Scope scope(*context_);
  driver.check(driver.ModuleLoadData(&module_, binary.object.data()), "loading a kernel");
  try {
    for (const LaunchRule& rule : binary.launches)
      entries_.push_back(entry_of(rule, gpu));
  } catch (...) {
    driver.ModuleUnload(module_);
    throw;
  }
}

GpuEntry GpuModule::entry_of(const LaunchRule& rule, const GpuFacts& gpu) const {
  const Driver& driver = context_->driver();
  GpuEntry entry;
  if (rule.parameters.size() > most_parameters)
    refuse(fmt::format("entry {} takes more than {} parameters; run: attentune cache verify", rule.entry,
                       most_parameters));
  for (const std::string& parameter : rule.parameters)
    entry.parameters.push_back(parameter_of(parameter, rule));
  driver.check(driver.ModuleGetFunction(&entry.function, module_, rule.entry.c_str()),
               "finding the entry " + rule.entry + " in a kernel");
  // Under lazy loading the code would otherwise come at the first launch, which may be inside a capture.
  if (driver.FuncLoad != nullptr)
    driver.check(driver.FuncLoad(entry.function), "loading the entry " + rule.entry);
  int fixed = 0;
  driver.check(driver.FuncGetAttribute(&fixed, CuFunctionAttribute::shared_size_bytes, entry.function),
               "asking for shared memory of the entry " + rule.entry);
  entry.dynamic_shared_limit = gpu.shared_per_block - fixed;
  // A permission, not an allocation: each launch still says what it uses.
  driver.check(driver.FuncSetAttribute(entry.function, CuFunctionAttribute::max_dynamic_shared_size_bytes,
                                       static_cast<int>(entry.dynamic_shared_limit)),
               "allowing shared memory to the entry " + rule.entry);
  return entry;
}

GpuModule::~GpuModule() {
  try {
    const GpuContext::Scope scope(*context_);
    context_->driver().ModuleUnload(module_);
  } catch (const std::exception&) {
    // The context is gone, and the module with it.
  }
}

}  // namespace attentune::cuda
