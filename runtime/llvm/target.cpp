#include "runtime/llvm/target.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <new>
#include <utility>

#include <fmt/format.h>
#include <llvm/Config/llvm-config.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/ErrorHandling.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/TargetParser/Host.h>
#if defined(__x86_64__)
#include <llvm/TargetParser/X86TargetParser.h>
#endif

#include "generator/error.h"
#include "generator/host_target.h"
#include "runtime/llvm/compiler.h"

namespace attentune::llvm_backend {
namespace {

#if defined(__x86_64__)
constexpr std::string_view this_machine = "x86_64";
#else
constexpr std::string_view this_machine = "aarch64";
#endif

bool& is_in_llvm() noexcept {
  thread_local bool is_in = false;
  return is_in;
}

const llvm::Target& native_target() {
  initialize_target();
  std::string error;
  const std::string triple{host_target(this_machine)->triple};
  const llvm::Target* const target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (target == nullptr)
    throw Error(Status::internal, "LLVM has no code generator for this machine: " + error);
  return *target;
}

#if !defined(__x86_64__)
std::unique_ptr<llvm::MCSubtargetInfo> subtarget(llvm::StringRef cpu) {
  const std::string triple{host_target(this_machine)->triple};
  return std::unique_ptr<llvm::MCSubtargetInfo>(native_target().createMCSubtargetInfo(triple, cpu, ""));
}
#endif

// Letters to change, insert or delete to get from a to b.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row.back();
}

// Every CPU of this machine that runs 64-bit code.
std::vector<std::string> cpu_names() {
  std::vector<std::string> names;
#if defined(__x86_64__)
  llvm::SmallVector<llvm::StringRef, 128> known;
  llvm::X86::fillValidCPUArchList(known, /*Only64Bit=*/true);
  for (const llvm::StringRef name : known)
    names.push_back(name.str());
#else
  for (const llvm::SubtargetSubTypeKV& cpu : subtarget("generic")->getAllProcessorDescriptions()) {
    names.emplace_back(cpu.Key);
  }
#endif
  return names;
}

// What the CPU offers to programs; LLVM's tuning flags are no features of an Arch.
std::vector<std::string> cpu_features(const std::string& cpu) {
  std::vector<std::string> features;
#if defined(__x86_64__)
  llvm::SmallVector<llvm::StringRef, 128> enabled;
  llvm::X86::getFeaturesForCPU(cpu, enabled);
  for (const llvm::StringRef feature : enabled)
    features.push_back(feature.str());
  features.emplace_back("sse2");
  features.emplace_back("sse");
#else
  const auto info = subtarget(cpu);
  for (const llvm::SubtargetFeatureKV& feature : info->getEnabledProcessorFeatures()) {
    features.emplace_back(feature.Key);
  }
#endif
  return features;
}

#if defined(__x86_64__) && defined(__linux__)
// The tile registers of AMX are 8 KiB a thread, so Linux hands them out on demand, once a process
// (Documentation/arch/x86/xstate.rst); without, the first tile instruction ends the program.
bool may_use_tiles() {
  constexpr long request_permission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long tile_data = 18;               // XFEATURE_XTILE_DATA
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}
#else
bool may_use_tiles() { return false; }
#endif

Arch make_arch(std::string cpu, std::vector<std::string> features) {
  std::sort(features.begin(), features.end());
  features.erase(std::unique(features.begin(), features.end()), features.end());
  return Arch{.kind = Arch::Kind::host,
              .name = std::move(cpu),
              .machine = std::string(this_machine),
              .features = std::move(features)};
}

}  // namespace

void initialize_target() {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
  });
}

LlvmCall::LlvmCall() noexcept : is_nested_(std::exchange(is_in_llvm(), true)) {}

LlvmCall::~LlvmCall() { is_in_llvm() = is_nested_; }

void on_out_of_memory(void (*end)()) {
  llvm::install_bad_alloc_error_handler([](void* chosen, const char*, bool) { reinterpret_cast<void (*)()>(chosen)(); },
                                        reinterpret_cast<void*>(end));
  std::set_new_handler([] {
    if (is_in_llvm())
      llvm::report_bad_alloc_error("operator new");
    throw std::bad_alloc();
  });
}

std::unique_ptr<llvm::TargetMachine> make_target_machine(const Arch& arch) {
  if (!arch.is_host() || arch.machine != this_machine) {
    throw RefusalError({"arch", to_text(arch), fmt::format("this build compiles for {} only", this_machine),
                        "compile on a machine of that kind"});
  }
  const HostTarget& target = *host_target(arch.machine);
  std::string features;
  for (const std::string& feature : arch.features)
    features += (features.empty() ? "+" : ",+") + feature;
  llvm::TargetOptions options;
  // Products and sums written as one expression (llvm.fmuladd, `contract`) may fuse; nothing else may change a result.
  options.AllowFPOpFusion = llvm::FPOpFusion::Standard;
  std::unique_ptr<llvm::TargetMachine> machine(
      native_target().createTargetMachine(target.triple, target.baseline, features, options, llvm::Reloc::PIC_,
                                          llvm::CodeModel::Small, llvm::CodeGenOptLevel::Aggressive));
  if (!machine)
    throw Error(Status::internal, "LLVM has no code generator for " + to_text(arch));
  return machine;
}

std::string compiler_name() { return "llvm " LLVM_VERSION_STRING; }

Arch host_arch() {
  initialize_target();
  std::vector<std::string> features;
  const bool tiles = may_use_tiles();
  for (const auto& feature : llvm::sys::getHostCPUFeatures()) {
    if (feature.second && (tiles || !feature.first().starts_with("amx-")))
      features.push_back(feature.first().str());
  }
  return make_arch(llvm::sys::getHostCPUName().str(), std::move(features));
}

Arch host_arch(std::string_view cpu) {
  const std::string name{cpu};
  std::vector<std::string> names = cpu_names();
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    std::sort(names.begin(), names.end(), [&](const std::string& a, const std::string& b) {
      return std::pair(edit_distance(a, name), a) < std::pair(edit_distance(b, name), b);
    });
    names.resize(std::min<std::size_t>(names.size(), 5));
    throw RefusalError({"arch", name, fmt::format("LLVM knows no such {} CPU", this_machine),
                        fmt::format("names near it: {}", fmt::join(names, " "))});
  }
  return make_arch(name, cpu_features(name));
}

}  // namespace attentune::llvm_backend
