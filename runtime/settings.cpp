#include "runtime/settings.h"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "cache/store.h"
#include "generator/error.h"

namespace attentune {
namespace {

int read_threads(const std::string& text) {
  int threads = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), threads);
  if (error != std::errc{} || end != text.data() + text.size() || threads < 0 || threads > most_threads) {
    throw RefusalError({.field = "ATTENTUNE_THREADS",
                        .value = text,
                        .limit = "a whole number from 0 (all CPUs) to " + std::to_string(most_threads),
                        .remedy = "unset it or set ATTENTUNE_THREADS=0"});
  }
  return threads;
}

MissPolicy read_policy(const std::string& text) {
  const std::optional<MissPolicy> policy = parse_miss_policy(text);
  if (!policy) {
    throw RefusalError({.field = "ATTENTUNE_POLICY",
                        .value = text,
                        .limit = "one of fail, heuristic, compile, tune",
                        .remedy = "unset it or set ATTENTUNE_POLICY=heuristic"});
  }
  return *policy;
}

}  // namespace

Settings read_settings(const Environment& environment) {
  const auto get = [&](const char* const name) {
    const std::optional<std::string> value = environment(name);
    return value && !value->empty() ? value : std::nullopt;
  };
  Settings settings;
  if (const auto store = get("ATTENTUNE_STORE")) {
    settings.store = *store;
  } else {
    const std::string data = get("XDG_DATA_HOME").value_or("");
    const std::string home = get("HOME").value_or("");
    if (!data.empty() || !home.empty()) {
      settings.store = default_store_path(data, home);
    }
  }
  settings.nvrtc = get("ATTENTUNE_NVRTC");
  if (const auto policy = get("ATTENTUNE_POLICY")) {
    settings.policy = read_policy(*policy);
  }
  settings.log = get("ATTENTUNE_LOG").value_or("");
  settings.search_path = get("PATH").value_or("");
  if (const auto threads = get("ATTENTUNE_THREADS")) {
    settings.threads = read_threads(*threads);
  }
  return settings;
}

Settings read_settings() {
  return read_settings([](const char* const name) -> std::optional<std::string> {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  });
}

std::function<void(std::string_view)> make_log(const std::string& destination) {
  if (destination.empty()) {
    return {};
  }
  if (destination == "stderr") {
    return [](const std::string_view sentence) {
      // One call a line, so that lines of several threads do not mix.
      std::fprintf(stderr, "attentune: %.*s\n", static_cast<int>(sentence.size()), sentence.data());
    };
  }
  const std::shared_ptr<std::FILE> file(std::fopen(destination.c_str(), "ae"), [](std::FILE* const opened) {
    if (opened != nullptr) {
      std::fclose(opened);
    }
  });
  if (!file) {
    throw Error(Status::misuse,
                "ATTENTUNE_LOG=" + destination + " cannot be opened for appending; name a writable file or \"stderr\"");
  }
  return [file](const std::string_view sentence) {
    std::fprintf(file.get(), "%.*s\n", static_cast<int>(sentence.size()), sentence.data());
    std::fflush(file.get());
  };
}

}  // namespace attentune
