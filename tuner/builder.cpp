#include "tuner/builder.h"

#include <exception>
#include <utility>

#include "generator/error.h"

namespace attentune {

Builder::SharedBinary Builder::binary_of(const Rendering& rendering) {
  std::optional<std::promise<SharedBinary>> mine;
  std::shared_future<SharedBinary> result;
  {
    const std::lock_guard lock(mutex_);
    const auto [place, first] = binaries_.try_emplace(rendering.key);
    if (first) {
      place->second = mine.emplace().get_future().share();
    }
    result = place->second;
  }
  // No lock is held during a compile; whoever is first waits for nobody.
  if (mine) {
    try {
      std::optional<Binary> binary = request_.stored ? request_.stored(rendering.key) : std::nullopt;
      if (!binary) {
        binary = request_.device->compiler().compile(rendering.source);
        binary->key = rendering.key;
        binary->family = rendering.family->name();
        binary->launches = rendering.source.launches;
      }
      mine->set_value(std::make_shared<const Binary>(*std::move(binary)));
    } catch (...) {
      mine->set_exception(std::current_exception());
    }
  }
  return result.get();
}

Built Builder::build(const FamilyConfig& candidate, const Skip& skip) noexcept {
  Built built{
      .candidate = candidate, .binary_key = {}, .source_text = {}, .binary = {}, .skipped = false, .failure = {}};
  try {
    Rendering rendering = render(*candidate.family, request_.problem, candidate.config, request_.device->arch(),
                                 request_.device->compiler());
    built.binary_key = rendering.key;
    built.skipped = skip && skip(built.binary_key, candidate);
    if (!built.skipped) {
      built.binary = binary_of(rendering);
    }
    built.source_text = std::move(rendering.source.text);
  } catch (const RefusalError& refusal) {
    built.failure = refusal.what();
    built.outcome = Outcome::refused;
  } catch (const std::exception& exception) {
    built.failure = exception.what();
  }
  return built;
}

}  // namespace attentune
