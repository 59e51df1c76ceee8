// What a command works with: the device, the Store and the settings behind the arguments.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cache/store.h"
#include "generator/arch.h"
#include "generator/config.h"
#include "generator/kernel_family.h"
#include "runtime/device.h"
#include "runtime/kernel.h"
#include "runtime/rendering.h"
#include "runtime/settings.h"
#include "tools/attentune/arguments.h"

namespace attentune {

// Of any name --device takes, simulators among them.
[[nodiscard]] std::shared_ptr<const Device> open(const std::string& device, const Arguments& arguments);
[[nodiscard]] std::shared_ptr<const Device> device_of(const Arguments& arguments);
// The name device_of opens.
[[nodiscard]] std::string device_name_of(const Arguments& arguments);
// --threads, else the settings' number.
[[nodiscard]] int threads_of(const Arguments& arguments);
// --store, else the settings' path. Throws Error(misuse) when there is neither.
[[nodiscard]] std::string store_path_of(const Arguments& arguments);
// Messages of the Store go to standard error. ":memory:" is a Store that dies with the process, for the library's mode
// alone: who tunes or looks into a Store means one that lasts. Throws Error(misuse) for that, and for what is no file.
[[nodiscard]] std::shared_ptr<Store> store_of(const Arguments& arguments, StoreMode mode);

// This very program, which is also the worker of its tunes, so that both are always of one build.
[[nodiscard]] std::string own_path();

// --arch, else the Arch of --device.
[[nodiscard]] Arch arch_of(const Arguments& arguments);

// A family with the Config to build: --config if given, with the family it is meant for (checked against the space),
// else the default of the family predicted to be the fastest.
[[nodiscard]] FamilyConfig choose(const Problem& problem, const Arch& arch, const std::optional<std::string>& config);
// What the settings say of compilers.
[[nodiscard]] CompilerOptions compiler_options();
// The keyed Binary of a Rendering.
[[nodiscard]] Binary compile(const Rendering& rendering, const Compiler& compiler);
// Render, compile, key and load on the device.
[[nodiscard]] std::shared_ptr<const Kernel> build(const Problem& problem, const std::shared_ptr<const Device>& device,
                                                  const KernelFamily& family, const Config& config);

}  // namespace attentune
