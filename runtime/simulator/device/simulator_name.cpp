#include "runtime/simulator/device/simulator_name.h"

#include <charconv>
#include <concepts>
#include <string>

#include "generator/error.h"

namespace attentune::simulator {
namespace {

constexpr std::string_view prefix = "sim:";
constexpr int most_sms = 1024;

[[noreturn]] void refuse(const std::string_view device, const std::string_view option) {
  throw RefusalError({.field = "device",
                      .value = std::string(device),
                      .limit = "a simulator has no option '" + std::string(option) + "'",
                      .remedy = "use seed=N, sms=N (1 to 1024), instructions=N (of one launch, at most), eager or "
                                "no-races, as in sim:sm_80,seed=3,eager"});
}

template <std::integral Number>
bool read(const std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

bool apply(const std::string_view option, Options& options) {
  if (option.starts_with("seed="))
    return read(option.substr(5), options.seed);
  if (option.starts_with("sms="))
    return read(option.substr(4), options.sms) && options.sms >= 1 && options.sms <= most_sms;
  if (option.starts_with("instructions="))
    return read(option.substr(13), options.most_instructions);
  if (option == "eager") {
    options.asynchrony = Asynchrony::eager;
    return true;
  }
  if (option == "no-races") {
    options.races = false;
    return true;
  }
  return false;
}

}  // namespace

bool names_simulator(const std::string_view device) noexcept {
  return device.starts_with(prefix) || device == prefix.substr(0, prefix.size() - 1);
}

SimulatorName parse_simulator_name(const std::string_view device) {
  std::string_view rest = device.substr(device.size() < prefix.size() ? device.size() : prefix.size());
  const auto next = [&] {
    const std::string_view word = rest.substr(0, rest.find(','));
    rest.remove_prefix(word.size() < rest.size() ? word.size() + 1 : rest.size());
    return word;
  };
  SimulatorName name{.arch = gpu_arch(next()), .options = {.strict = true}};
  while (!rest.empty()) {
    const std::string_view option = next();
    if (!apply(option, name.options))
      refuse(device, option);
  }
  return name;
}

}  // namespace attentune::simulator
