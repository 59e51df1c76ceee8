// Settings: what the environment says. The one place that reads it; everything else takes values.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/runtime.h"

namespace attentune {

// Of a host device, whoever asks for them.
inline constexpr int most_threads = 4096;

struct Settings {
  std::string store;                 // ATTENTUNE_STORE, else the default path of cache/store.h; "" when there is none
  std::optional<std::string> nvrtc;  // ATTENTUNE_NVRTC: path of libnvrtc.so
  std::optional<MissPolicy> policy;  // ATTENTUNE_POLICY: fail, heuristic, compile, tune
  std::string log;                   // ATTENTUNE_LOG: "" nothing, "stderr", or a file to append to
  int threads = 0;                   // ATTENTUNE_THREADS: 0 = one per CPU this process may run on
  std::string search_path;           // PATH: where the worker is looked for last
};

// The value of an environment variable; nothing when it is not set.
using Environment = std::function<std::optional<std::string>(const char* name)>;

// An empty variable counts as not set. Throws RefusalError naming the variable.
[[nodiscard]] Settings read_settings(const Environment& environment);
// Of this process, now. Not while another thread changes the environment.
[[nodiscard]] Settings read_settings();

// Where log sentences go: nowhere (an empty function), standard error, or lines appended to a file.
// Throws Error(misuse) when the file cannot be opened.
[[nodiscard]] std::function<void(std::string_view sentence)> make_log(const std::string& destination);

}  // namespace attentune
