#include <optional>
#include <string>
#include <utility>

#include "cache/store.h"
#include "generator/error.h"
#include "runtime/settings.h"
#include "tuner/abi/handles.h"
#include "tuner/abi/process_end.h"
#include "tuner/miss_handler.h"
#include "tuner/worker_path.h"

namespace attentune::abi {
namespace {

using Log = std::function<void(std::string_view)>;

MissPolicy policy_of(const attentune_options& options, const Settings& settings) {
  switch (options.policy) {
    case ATTENTUNE_POLICY_DEFAULT:
      return settings.policy.value_or(MissPolicy::heuristic);
    case ATTENTUNE_POLICY_HEURISTIC:
      return MissPolicy::heuristic;
    case ATTENTUNE_POLICY_FAIL:
      return MissPolicy::fail;
    case ATTENTUNE_POLICY_COMPILE:
      return MissPolicy::compile;
    case ATTENTUNE_POLICY_TUNE:
      return MissPolicy::tune;
  }
  throw Error(Status::misuse, "attentune_options::policy is " + std::to_string(static_cast<int>(options.policy)) +
                                  "; use one of attentune_policy");
}

std::shared_ptr<Store> open_store(const attentune_options& options, const Settings& settings, const Log& log) {
  const std::string path = options.store != nullptr ? options.store : settings.store;
  if (path.empty()) {
    if (options.store == nullptr && log) {
      log("nothing will be remembered: neither XDG_DATA_HOME nor HOME is set; set ATTENTUNE_STORE to a path");
    }
    return nullptr;
  }
  if (path == ":memory:") {
    return Store::in_memory(log);
  }
  StoreOptions store;
  store.path = path;
  store.message = log;
  return Store::open(store);
}

bool& inside_log_function() noexcept {
  thread_local bool is_inside = false;
  return is_inside;
}

// A caller's function may end by an exception.
struct InLogFunction {
  InLogFunction() { inside_log_function() = true; }
  ~InLogFunction() { inside_log_function() = false; }
  InLogFunction(const InLogFunction&) = delete;
  InLogFunction& operator=(const InLogFunction&) = delete;
};

}  // namespace

CallerLog::Sink& CallerLog::sink() {
  return sink_.get([](const Sink& parents) { return Sink(parents.log, parents.user); });
}

void CallerLog::operator()(const std::string_view sentence) {
  const std::string text(sentence);
  Sink& out = sink();
  const std::lock_guard lock(out.mutex);
  if (out.log != nullptr) {
    const InLogFunction here;
    out.log(out.user, text.c_str());
  }
}

bool CallerLog::is_inside() noexcept { return inside_log_function(); }

void CallerLog::refuse_inside(const char* const function) {
  if (is_inside()) {
    throw Error(Status::misuse,
                std::string(function) + " was called by a log function; call it when that has returned");
  }
}

void CallerLog::silence() {
  Sink& out = sink();
  const std::lock_guard lock(out.mutex);
  out.log = nullptr;
}

std::shared_ptr<RuntimeState> open_runtime(const attentune_options& options) {
  const Settings settings = read_settings();
  auto state = std::make_shared<RuntimeState>();
  RuntimeOptions runtime;
  runtime.policy = policy_of(options, settings);
  runtime.strict = options.strict != 0;
  if (options.log != nullptr) {
    state->log = std::make_shared<CallerLog>(options.log, options.log_user);
    runtime.log = [log = state->log](const std::string_view sentence) { (*log)(sentence); };
  } else {
    runtime.log = make_log(settings.log);
  }

  const std::string name = options.device != nullptr ? options.device : default_device_name();
  if (options.threads < 0) {
    throw Error(Status::misuse, "attentune_options::threads is " + std::to_string(options.threads) +
                                    "; use 0 for all CPUs of this process");
  }
  if (options.threads > most_threads) {
    throw RefusalError({.field = "attentune_options::threads",
                        .value = std::to_string(options.threads),
                        .limit = "at most " + std::to_string(most_threads),
                        .remedy = "use 0 for all CPUs of this process"});
  }
  std::shared_ptr<const Device> device;
  if (options.executor != nullptr && name == "host") {
    state->executor = std::make_unique<CallerExecutor>(options.executor);
    device = open_host(*state->executor);
  } else {
    device =
        open_device(name, {.threads = options.threads > 0 ? options.threads : settings.threads,
                           .compiler = {.nvrtc = settings.nvrtc.value_or(""), .search_path = settings.search_path}});
  }
  std::shared_ptr<Store> store = open_store(options, settings, runtime.log);
  if (runtime.policy == MissPolicy::tune && store) {
    state->miss_handler = std::make_unique<TuningMissHandler>(MissHandlerOptions{
        .device = device,
        .store = store,
        .device_name = name,
        .worker_path = find_worker(settings.search_path),
        .log = runtime.log,
    });
    runtime.miss_handler = state->miss_handler.get();
  }
  runtime.before_background = [weak = std::weak_ptr(state)] { stop_at_exit(weak); };
  state->runtime = std::make_unique<Runtime>(std::move(device), std::move(store), std::move(runtime));
  return state;
}

}  // namespace attentune::abi
