#include "generator/device_identity.h"

#include <array>

#include <fmt/format.h>

#include "generator/error.h"
#include "generator/text.h"

namespace attentune {
namespace {

constexpr std::array<std::string_view, 3> kind_names{"host", "gpu", "simulator"};

// A value of the text must be one word.
std::string one_word(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\t' || c == '\'' || c == '"';
    if (!space) {
      result += c;
    } else if (!result.empty() && result.back() != '_') {
      result += '_';
    }
  }
  while (!result.empty() && result.back() == '_')
    result.pop_back();
  return result;
}

}  // namespace

std::string to_text(const DeviceIdentity& d) {
  std::string text(kind_names[static_cast<std::size_t>(d.kind)]);
  const auto word = [&](std::string_view field, std::string_view value) {
    if (!value.empty())
      text += fmt::format(" {}={}", field, one_word(value));
  };
  const auto number = [&](std::string_view field, std::int64_t value) {
    if (value != 0)
      text += fmt::format(" {}={}", field, value);
  };
  word("name", d.name);
  word("arch", d.arch);
  word("features", d.features_digest);
  number("l1", d.l1_kib);
  number("l2", d.l2_kib);
  number("l3", d.l3_kib);
  number("threads", d.threads);
  number("sms", d.sms);
  number("memory", d.memory_gib);
  number("bus", d.bus_bits);
  word("mig", d.mig_profile);
  word("power", d.power_class);
  return text;
}

DeviceIdentity parse_device_identity(std::string_view text) {
  const auto refuse = [&](const std::string& limit) {
    throw RefusalError({"device", shown(text), limit, "write it as `attentune devices` prints it"});
  };
  DeviceIdentity d;
  const std::size_t space = std::min(text.find(' '), text.size());
  const std::string_view kind = text.substr(0, space);
  bool known = false;
  for (std::size_t k = 0; k < kind_names.size(); ++k) {
    if (kind_names[k] == kind) {
      d.kind = static_cast<DeviceIdentity::Kind>(k);
      known = true;
    }
  }
  if (!known)
    refuse("it begins with none of host, gpu, simulator");
  for (const Word& word : split_words(text.substr(space), "device")) {
    const auto number = [&](auto& field) {
      const auto value = parse_number<std::remove_reference_t<decltype(field)>>(word.value);
      if (!value)
        refuse(fmt::format("{} is not a number", word.name));
      field = *value;
    };
    if (word.name == "name")
      d.name = word.value;
    else if (word.name == "arch")
      d.arch = word.value;
    else if (word.name == "features")
      d.features_digest = word.value;
    else if (word.name == "l1")
      number(d.l1_kib);
    else if (word.name == "l2")
      number(d.l2_kib);
    else if (word.name == "l3")
      number(d.l3_kib);
    else if (word.name == "threads")
      number(d.threads);
    else if (word.name == "sms")
      number(d.sms);
    else if (word.name == "memory")
      number(d.memory_gib);
    else if (word.name == "bus")
      number(d.bus_bits);
    else if (word.name == "mig")
      d.mig_profile = word.value;
    else if (word.name == "power")
      d.power_class = word.value;
    else
      refuse(fmt::format("it has no field {}", word.name));
  }
  return d;
}

}  // namespace attentune
