// Builder: Config -> Source -> Binary, from the Store where it has it, else compiled; each Binary once a tune.
#pragma once

#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "generator/arch.h"
#include "generator/binary.h"
#include "generator/kernel_family.h"
#include "generator/measurement.h"
#include "generator/problem.h"
#include "generator/source.h"
#include "runtime/device.h"
#include "runtime/rendering.h"

namespace attentune {

// A Config on its way to a Measurement.
struct Built {
  FamilyConfig candidate;
  std::string binary_key;  // "" when it could not be rendered
  std::string source_text;
  std::shared_ptr<const Binary> binary;       // null: not compiled
  bool skipped = false;                       // `skip` said so
  std::string failure;                        // the compiler's log, when there is no binary and it was not skipped
  Outcome outcome = Outcome::compile_failed;  // of a failure: refused, when it compiles to what nobody should run
};

class Builder {
 public:
  struct Request {
    Problem problem;
    std::shared_ptr<const Device> device;
    // Called from several threads at once; may be empty.
    std::function<std::optional<Binary>(const std::string& binary_key)> stored;
  };
  // Need this Config not be built at all? Called from several threads at once.
  using Skip = std::function<bool(const std::string& binary_key, const FamilyConfig& candidate)>;

  explicit Builder(Request request) : request_(std::move(request)) {}

  // Any thread. Throws nothing: a Config that cannot be built says why.
  [[nodiscard]] Built build(const FamilyConfig& candidate, const Skip& skip = {}) noexcept;

 private:
  using SharedBinary = std::shared_ptr<const Binary>;
  [[nodiscard]] SharedBinary binary_of(const Rendering& rendering);

  Request request_;
  std::mutex mutex_;
  // Configs that differ in launch choices share a Binary: the first to ask compiles, others wait for it.
  std::map<std::string, std::shared_future<SharedBinary>> binaries_;
};

}  // namespace attentune
