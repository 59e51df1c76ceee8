#include "tools/attentune/kernel_picker.h"

#include "tools/attentune/session.h"

namespace attentune {

KernelPicker::KernelPicker(const Arguments& arguments) : device_(device_of(arguments)), config_(arguments.config) {
  if (config_)
    return;
  const Settings settings = read_settings();
  RuntimeOptions options;
  // `tune` would start a search behind the user's back; the command for that is `attentune tune`.
  options.policy = settings.policy.value_or(MissPolicy::heuristic);
  if (options.policy == MissPolicy::tune)
    options.policy = MissPolicy::compile;
  options.log = make_log(settings.log);
  runtime_ = std::make_unique<Runtime>(device_, store_of(arguments, StoreMode::library), options);
}

PickedKernel KernelPicker::pick(const Problem& problem) {
  if (config_) {
    const FamilyConfig choice = choose(problem, device_->arch(), config_);
    return {.kernel = build(problem, device_, *choice.family, choice.config),
            .trust = std::string(name(Trust::compiled_only)),
            .provenance = "given_config"};
  }
  const Variant& variant = runtime_->kernel(problem);
  return {.kernel = variant.kernel,
          .trust = std::string(name(variant.trust)),
          .provenance = std::string(name(variant.provenance))};
}

}  // namespace attentune
