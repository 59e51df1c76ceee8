// KernelFamily: one algorithm and its template.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "generator/arch.h"
#include "generator/config.h"
#include "generator/error.h"
#include "generator/problem.h"
#include "generator/source.h"

namespace attentune {

// What a Config is predicted to need and to be limited by, before it is compiled. Rates are per device-independent
// unit.
struct Resources {
  double workspace_bytes = 0;  // one call at this problem, one worker
  double shared_bytes = 0;     // GPU shared memory, or the host's per-worker scratch
  double registers = 0;        // vector registers (host) or 32-bit registers per thread (GPU) live in the main loop
  double register_budget = 0;  // what `registers` may reach, where the Config fixes it
  double issue_slots = 0;      // instructions a score beside those of the matrix unit, a thread; 0: not predicted
  double cost = 0;             // predicted time: only its order means something, over spaces for the same Arch
};

class KernelFamily {
 public:
  virtual ~KernelFamily() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  // Nothing when this family serves the problem on this arch, else why not and what would work.
  [[nodiscard]] virtual std::optional<Refusal> refusal(const Problem& problem, const Arch& arch) const = 0;
  // The space for the problem's class (and hints from its bucket); every Config in it renders and compiles.
  [[nodiscard]] virtual ConfigSpace space(const Problem& problem, const Arch& arch) const = 0;
  // Always a point of space().
  [[nodiscard]] virtual Config default_config(const Problem& problem, const Arch& arch) const = 0;
  [[nodiscard]] virtual Resources resources(const Problem& problem, const Arch& arch, const Config& config) const = 0;
  // `config`, which may have been chosen for other lengths, with a number of splits that suits this problem's: launch
  // choices change at no cost, and some of another bucket's would be dear (a decode's splits of a long prefill fill
  // gigabytes). What comes back renders, but need not be a point of space().
  [[nodiscard]] virtual Config relaunched(const Problem& problem, const Arch& arch, const Config& config) const = 0;
  // Pure: the same arguments give the same bytes. Only class fields of the problem and compile choices may reach text.
  [[nodiscard]] virtual Source render(const Problem& problem, const Arch& arch, const Config& config) const = 0;
};

// A Config and the family whose space it is a point of.
struct FamilyConfig {
  const KernelFamily* family = nullptr;
  Config config;

  bool operator==(const FamilyConfig&) const = default;
};

// Every family.
[[nodiscard]] const std::vector<const KernelFamily*>& kernel_families();
// By name; nullptr when there is none.
[[nodiscard]] const KernelFamily* find_family(std::string_view name);
// Those that serve it, the one first whose default is predicted to be the fastest; at least one. Throws RefusalError
// with the closest family's reason when there is none. Cost: where several serve, their defaults (some 10 ms).
[[nodiscard]] std::vector<const KernelFamily*> serving_families(const Problem& problem, const Arch& arch);
// The first of them. Throws and costs the same.
[[nodiscard]] const KernelFamily& family_for(const Problem& problem, const Arch& arch);
// Of those that serve it, the one a Config is meant for: most of the choices it names are that family's. Of equals, the
// one above. Says nothing of the choices' values. Throws the same.
[[nodiscard]] const KernelFamily& family_for(const Problem& problem, const Arch& arch, const Config& config);
// Whether any family serves it.
[[nodiscard]] bool is_served(const Problem& problem, const Arch& arch);

}  // namespace attentune
