// libattentune.so as its users see it: attentune.h and attentune.hpp, nothing of the inside.
#include "attentune.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "attentune.hpp"
#include "tests/abi/naive.h"
#include "tests/forked_child.h"

static_assert(offsetof(attentune_options, size) == 0 && offsetof(attentune_executor, size) == 0 &&
              offsetof(attentune_tensors, size) == 0 && offsetof(attentune_kernel_info, size) == 0);
// Compiled callers rely on these: fields are only ever added at the end.
static_assert(sizeof(attentune_options) == 64 && sizeof(attentune_executor) == 32 && sizeof(attentune_tensor) == 32 &&
              sizeof(attentune_tensors) == 176 && sizeof(attentune_kernel_info) == 48);

namespace {

attentune::Options host() {
  attentune::Options options;
  options.device = "host";
  options.store = "";
  options.threads = 2;
  return options;
}

attentune_options c_host() {
  attentune_options options{};
  options.size = sizeof options;
  options.device = "host";
  options.store = "";
  options.threads = 2;
  return options;
}

attentune::Tensors tensors_of(NaiveCase& naive) {
  return {naive.q.data(), naive.k.data(), naive.v.data(), naive.out.data()};
}

attentune_status create_status(const attentune_options& options) {
  attentune_runtime* runtime = nullptr;
  const attentune_status status = attentune_runtime_create(&options, &runtime);
  CHECK((runtime != nullptr) == (status == ATTENTUNE_OK));
  attentune_runtime_release(runtime);
  return status;
}

bool last_error_has(const char* const words) {
  return std::string(attentune_last_error()).find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("abi: end to end through the C++ wrapper") {
  attentune::Runtime runtime(host());
  NaiveCase naive(37, 4, 2, 24);
  const attentune::Problem problem(naive.text());
  const attentune::Kernel kernel = runtime.kernel(problem);
  const attentune::KernelInfo info = kernel.info();
  CHECK(info.family == "forward_host");
  CHECK(info.trust == "compiled_only");
  CHECK(info.provenance == "default_config");
  CHECK(info.tuned_ms == 0);
  CHECK(!info.config.empty());
  const attentune::Binding call = kernel.bind(problem, tensors_of(naive));
  call.launch();
  CHECK(naive.worst_error() < 1e-5);
  std::fill(naive.out.begin(), naive.out.end(), 7.0F);
  call.launch();
  CHECK(naive.worst_error() < 1e-5);
  std::fill(naive.out.begin(), naive.out.end(), 7.0F);
  runtime.run(problem, tensors_of(naive));
  CHECK(naive.worst_error() < 1e-5);
  runtime.drain();
}

TEST_CASE("abi: kernels and bindings outlive their runtime") {
  NaiveCase naive(20, 2, 2, 16);
  std::atomic<int> said{0};
  const auto bound = [&] {
    attentune::Options options = host();
    options.log = [&](std::string_view) { ++said; };
    const attentune::Runtime runtime(options);
    const attentune::Problem problem(naive.text());
    return runtime.kernel(problem).bind(problem, tensors_of(naive));
  }();
  CHECK(said > 0);
  bound.launch();
  CHECK(naive.worst_error() < 1e-5);
}

TEST_CASE("abi: a caller's workspace, sizes and text") {
  attentune::Runtime runtime(host());
  NaiveCase naive(50, 2, 1, 8);
  attentune::Problem problem("mask='causal()'  seq=9 head_dim=8/8 heads=2/1 dtype=f32 batch=1");
  CHECK(problem.text() == "dtype=f32 heads=2/1 head_dim=8 seq=9 mask=causal()");
  problem.set_sizes(1, 50, 50);
  CHECK(problem.text() == naive.text());
  CHECK_THROWS_AS(problem.set_sizes(1, -1, 50), attentune::Error);
  CHECK(problem.text() == naive.text());

  const attentune::Kernel kernel = runtime.kernel(problem);
  const std::size_t bytes = kernel.workspace_bytes(problem);
  std::vector<char> memory(bytes + 64);
  auto address = reinterpret_cast<std::uintptr_t>(memory.data());
  void* const aligned = memory.data() + (64 - address % 64) % 64;
  kernel.bind(problem, tensors_of(naive), aligned, bytes).launch();
  CHECK(naive.worst_error() < 1e-5);
  if (bytes > 0) {
    CHECK_THROWS_AS((void)kernel.bind(problem, tensors_of(naive), aligned, bytes - 1), attentune::Error);
  }
}

TEST_CASE("abi: errors name field, value, limit and remedy") {
  try {
    const attentune::Problem problem("dtype=f32 heads=32/5 head_dim=8 seq=8");
    FAIL("parsed");
  } catch (const attentune::Error& error) {
    CHECK(error.status() == ATTENTUNE_REFUSED);
    const std::string sentence = error.what();
    CHECK(sentence.find("heads=32/5 is refused") != std::string::npos);
    CHECK(sentence.find("; ") != std::string::npos);
  }
  attentune::Options options = host();
  options.device = "tpu";
  CHECK_THROWS_WITH_AS(attentune::Runtime{options},
                       "device=tpu is refused: a device is host, gpu:0 or sim:ARCH; use --device host",
                       attentune::Error);
  options = host();
  options.policy = ATTENTUNE_POLICY_FAIL;
  const attentune::Runtime runtime(options);
  try {
    static_cast<void>(runtime.kernel(attentune::Problem("dtype=f32 heads=1 head_dim=8 seq=8")));
    FAIL("served");
  } catch (const attentune::Error& error) {
    CHECK(error.status() == ATTENTUNE_MISS);
    CHECK(std::string(error.what()).find("attentune tune '") != std::string::npos);
  }
  for (int status = 0; status <= 11; ++status) {
    CHECK(std::strlen(attentune_status_text(static_cast<attentune_status>(status))) > 10);
  }
  CHECK(attentune_status_text(static_cast<attentune_status>(99)) != nullptr);
  CHECK(attentune::version() == "0.1.0");
}

TEST_CASE("abi: drain says when the store could not be written") {
  std::string directory = "/tmp/attentune_abi_XXXXXX";
  REQUIRE(mkdtemp(directory.data()) != nullptr);
  const std::string path = directory + "/store.db";
  attentune_options options = c_host();
  options.store = path.c_str();
  attentune_runtime* runtime = nullptr;
  REQUIRE(attentune_runtime_create(&options, &runtime) == ATTENTUNE_OK);

  // As good as a full disk: no file of this process may grow.
  const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
  rlimit usual{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &usual) == 0);
  const rlimit none{.rlim_cur = 1, .rlim_max = usual.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &none) == 0);
  const attentune::Problem problem("dtype=f32 heads=2 head_dim=16 seq=20");
  attentune_kernel* kernel = nullptr;
  const attentune_status got = attentune_kernel_get(runtime, problem.get(), &kernel);
  const attentune_status drained = attentune_runtime_drain(runtime);
  const std::string why = attentune_last_error();
  REQUIRE(setrlimit(RLIMIT_FSIZE, &usual) == 0);
  std::signal(SIGXFSZ, ignored);

  CHECK(got == ATTENTUNE_OK);
  CHECK(drained == ATTENTUNE_STORE_FAILED);
  CHECK(why.find("what was learned is in memory only: the Store " + path) != std::string::npos);
  CHECK(attentune_runtime_drain(runtime) == ATTENTUNE_OK);
  attentune_kernel_release(kernel);
  attentune_runtime_release(runtime);
  std::filesystem::remove_all(directory);
}

TEST_CASE("abi: null handles and pointers are misuse, releasing NULL is fine") {
  attentune_runtime_release(nullptr);
  attentune_problem_release(nullptr);
  attentune_kernel_release(nullptr);
  attentune_binding_release(nullptr);
  attentune_problem* problem = nullptr;
  attentune_kernel* kernel = nullptr;
  attentune_binding* binding = nullptr;
  std::size_t bytes = 0;
  CHECK(attentune_runtime_create(nullptr, nullptr) == ATTENTUNE_MISUSE);
  CHECK(last_error_has("'runtime' is NULL"));
  CHECK(attentune_runtime_drain(nullptr) == ATTENTUNE_MISUSE);
  CHECK(attentune_problem_parse(nullptr, &problem) == ATTENTUNE_MISUSE);
  CHECK(attentune_problem_parse("", nullptr) == ATTENTUNE_MISUSE);
  CHECK(attentune_problem_set_sizes(nullptr, 1, 1, 1) == ATTENTUNE_MISUSE);
  CHECK(attentune_problem_text(nullptr, nullptr, 0, &bytes) == ATTENTUNE_MISUSE);
  CHECK(attentune_kernel_get(nullptr, nullptr, &kernel) == ATTENTUNE_MISUSE);
  CHECK(attentune_kernel_get(nullptr, nullptr, nullptr) == ATTENTUNE_MISUSE);
  CHECK(attentune_kernel_describe(nullptr, nullptr) == ATTENTUNE_MISUSE);
  CHECK(attentune_workspace_bytes(nullptr, nullptr, &bytes) == ATTENTUNE_MISUSE);
  CHECK(attentune_bind(nullptr, nullptr, nullptr, nullptr, 0, &binding) == ATTENTUNE_MISUSE);
  CHECK(attentune_launch(nullptr, nullptr) == ATTENTUNE_MISUSE);
  CHECK(attentune_run(nullptr, nullptr, nullptr) == ATTENTUNE_MISUSE);

  REQUIRE(attentune_problem_parse("dtype=f32 heads=1 head_dim=8 seq=8", &problem) == ATTENTUNE_OK);
  CHECK(attentune_problem_text(problem, nullptr, 10, &bytes) == ATTENTUNE_MISUSE);
  char text[8];
  CHECK(attentune_problem_text(problem, text, sizeof text, nullptr) == ATTENTUNE_OK);
  CHECK(std::string(text) == "dtype=f");
  attentune_problem_release(problem);
}

TEST_CASE("abi: a tensor the call cannot use is refused, not read") {
  const attentune::Runtime runtime(host());
  NaiveCase naive(8, 1, 1, 8);
  const attentune::Problem problem(naive.text());
  const attentune::Kernel kernel = runtime.kernel(problem);
  attentune::Tensors tensors = tensors_of(naive);
  tensors.k = nullptr;
  CHECK_THROWS_AS((void)kernel.bind(problem, tensors), attentune::Error);
  tensors = tensors_of(naive);
  tensors.lse = naive.out.data();
  CHECK_THROWS_AS((void)kernel.bind(problem, tensors), attentune::Error);
  CHECK_THROWS_AS((void)kernel.bind(attentune::Problem("dtype=f32 heads=1 head_dim=16 seq=8"), tensors_of(naive)),
                  attentune::Error);
}

TEST_CASE("abi: structs of other sizes") {
  SUBCASE("an older caller's, whose later fields take their defaults") {
    attentune_options options = c_host();
    options.log = reinterpret_cast<void (*)(void*, const char*)>(std::uintptr_t{1});  // beyond size: not looked at
    options.size = offsetof(attentune_options, log);
    CHECK(create_status(options) == ATTENTUNE_OK);
  }
  SUBCASE("sizes no version had") {
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{13}, sizeof(attentune_options) + 1,
                                   std::size_t{1} << 40, ~std::size_t{0}}) {
      attentune_options options = c_host();
      options.size = size;
      CHECK(create_status(options) == ATTENTUNE_MISUSE);
      CHECK(last_error_has("attentune_options"));
    }
  }
  SUBCASE("a newer caller's, if it asks for nothing unknown") {
    struct Newer {
      attentune_options options;
      std::uint64_t unknown[2];
    } newer{c_host(), {0, 0}};
    newer.options.size = sizeof newer;
    CHECK(create_status(newer.options) == ATTENTUNE_OK);
    newer.unknown[1] = 1;
    CHECK(create_status(newer.options) == ATTENTUNE_MISUSE);
    CHECK(last_error_has("newer"));
  }
  SUBCASE("tensors without a size") {
    const attentune::Runtime runtime(host());
    NaiveCase naive(8, 1, 1, 8);
    const attentune::Problem problem(naive.text());
    attentune_options options = c_host();
    attentune_runtime* c_runtime = nullptr;
    REQUIRE(attentune_runtime_create(&options, &c_runtime) == ATTENTUNE_OK);
    attentune_tensors tensors = tensors_of(naive).c_struct();
    tensors.size = 0;
    CHECK(attentune_run(c_runtime, problem.get(), &tensors) == ATTENTUNE_MISUSE);
    tensors.size = offsetof(attentune_tensors, lse);
    CHECK(attentune_run(c_runtime, problem.get(), &tensors) == ATTENTUNE_OK);
    CHECK(naive.worst_error() < 1e-5);

    attentune_kernel* kernel = nullptr;
    REQUIRE(attentune_kernel_get(c_runtime, problem.get(), &kernel) == ATTENTUNE_OK);
    attentune_kernel_info info;
    std::memset(&info, 0x55, sizeof info);
    CHECK(attentune_kernel_describe(kernel, &info) == ATTENTUNE_MISUSE);
    info.size = offsetof(attentune_kernel_info, trust);
    CHECK(attentune_kernel_describe(kernel, &info) == ATTENTUNE_OK);
    CHECK(std::string(info.family) == "forward_host");
    CHECK(reinterpret_cast<std::uintptr_t>(info.trust) == 0x5555555555555555U);  // beyond size: not written
    attentune_kernel_release(kernel);
    attentune_runtime_release(c_runtime);
  }
  SUBCASE("impossible values") {
    attentune_options options = c_host();
    options.policy = static_cast<attentune_policy>(77);
    CHECK(create_status(options) == ATTENTUNE_MISUSE);
    options = c_host();
    options.threads = -1;
    CHECK(create_status(options) == ATTENTUNE_MISUSE);
    options.threads = 4097;
    CHECK(create_status(options) == ATTENTUNE_REFUSED);
    CHECK(last_error_has("attentune_options::threads"));
    CHECK(last_error_has("4096"));
  }
}

namespace {

// Threads of the caller's own: `user` counts calls.
void on_own_threads(void* const user, const std::int64_t tasks, const std::int64_t grain, const attentune_task task,
                    void* const context) {
  ++*static_cast<std::atomic<int>*>(user);
  std::atomic<std::int64_t> next{0};
  std::vector<std::thread> threads;
  for (int worker = 0; worker < 3; ++worker) {
    threads.emplace_back([&, worker] {
      for (std::int64_t begin = next.fetch_add(grain); begin < tasks; begin = next.fetch_add(grain)) {
        task(context, worker, begin, std::min(tasks, begin + grain));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

void forgets_half(void*, const std::int64_t tasks, std::int64_t, const attentune_task task, void* const context) {
  task(context, 0, 0, tasks / 2);
}

void invents_a_worker(void*, const std::int64_t tasks, std::int64_t, const attentune_task task, void* const context) {
  task(context, 1000, 0, tasks);
}

void throws_out(void*, std::int64_t, std::int64_t, attentune_task, void*) { throw 42; }

}  // namespace

TEST_CASE("abi: the caller's executor is copied and runs the tasks") {
  std::atomic<int> calls{0};
  NaiveCase naive(100, 4, 4, 16);
  attentune::Options options = host();
  attentune_executor executor{sizeof(attentune_executor), 3, &calls, on_own_threads};
  options.executor = &executor;
  const attentune::Runtime runtime(options);
  executor = {};
  runtime.run(attentune::Problem(naive.text()), tensors_of(naive));
  CHECK(calls == 1);
  CHECK(naive.worst_error() < 1e-5);
}

TEST_CASE("abi: an executor that breaks its promise is misuse, whatever it throws stays outside") {
  NaiveCase naive(400, 4, 4, 16);
  const attentune::Problem problem(naive.text());
  const auto status_with = [&](decltype(attentune_executor::parallel_for) parallel_for) {
    attentune_executor executor{sizeof(attentune_executor), 2, nullptr, parallel_for};
    attentune::Options options = host();
    options.executor = &executor;
    const attentune::Runtime runtime(options);
    try {
      runtime.run(problem, tensors_of(naive));
      return ATTENTUNE_OK;
    } catch (const attentune::Error& error) {
      return error.status();
    }
  };
  CHECK(status_with(forgets_half) == ATTENTUNE_MISUSE);
  CHECK(status_with(invents_a_worker) == ATTENTUNE_MISUSE);
  CHECK(status_with(throws_out) == ATTENTUNE_INTERNAL);

  attentune_options options = c_host();
  attentune_executor executor{sizeof(attentune_executor), 0, nullptr, forgets_half};
  options.executor = &executor;
  CHECK(create_status(options) == ATTENTUNE_MISUSE);
  executor.workers = 1;
  executor.parallel_for = nullptr;
  CHECK(create_status(options) == ATTENTUNE_MISUSE);
  executor.size = 3;
  CHECK(create_status(options) == ATTENTUNE_MISUSE);
}

TEST_CASE("abi: several threads at once, each with its own last error") {
  const attentune::Runtime runtime(host());
  std::vector<std::thread> threads;
  std::vector<double> errors(4, 1e9);
  std::atomic<int> mixed{0};
  for (std::size_t n = 0; n < errors.size(); ++n) {
    threads.emplace_back([&, n] {
      NaiveCase naive(20 + 25 * static_cast<std::int64_t>(n), 2, 1, n % 2 == 0 ? 8 : 16);
      const attentune::Problem problem(naive.text());
      const attentune::Binding call = runtime.kernel(problem).bind(problem, tensors_of(naive));
      const std::string wrong = "dtype=f32 heads=1 head_dim=8 seq=8 nonsense" + std::to_string(n) + "=1";
      for (int round = 0; round < 20; ++round) {
        attentune_problem* none = nullptr;
        const attentune_status status = attentune_problem_parse(wrong.c_str(), &none);
        call.launch();
        static_cast<void>(runtime.kernel(problem).info());
        mixed += status == ATTENTUNE_REFUSED && last_error_has(("nonsense" + std::to_string(n)).c_str()) ? 0 : 1;
      }
      errors[n] = naive.worst_error();
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(mixed == 0);
  for (const double error : errors) {
    CHECK(error < 1e-5);
  }
}

#ifndef ATTENTUNE_UNDER_TSAN
namespace {

// Keeps the thread that logs first, in the process that made it, until it may go on.
struct SlowLog {
  const pid_t process = getpid();
  std::atomic<bool> reached{false};
  std::atomic<bool> open{false};

  static void say(void* const user, const char*) {
    auto& log = *static_cast<SlowLog*>(user);
    if (getpid() == log.process) {
      log.reached = true;
      log.reached.notify_all();
      log.open.wait(false);
    }
  }
};

}  // namespace

TEST_CASE("abi: a forked child goes on, whatever another thread of its parent was at") {
  SlowLog log;
  attentune_options options = c_host();
  options.store = ":memory:";
  options.log = SlowLog::say;
  options.log_user = &log;
  attentune_runtime* runtime = nullptr;
  REQUIRE(attentune_runtime_create(&options, &runtime) == ATTENTUNE_OK);
  std::thread other([&] {
    NaiveCase naive(20, 2, 2, 16);
    const attentune::Problem problem(naive.text());
    const attentune_tensors tensors = tensors_of(naive).c_struct();
    CHECK(attentune_run(runtime, problem.get(), &tensors) == ATTENTUNE_OK);
  });
  log.reached.wait(false);
  for (const int head_dim : {16, 24}) {  // a class that the parent knows, and one of the child's own
    CAPTURE(head_dim);
    CHECK(attentune::test::holds_in_child([&] {
      NaiveCase naive(37, 2, 2, head_dim);
      const attentune::Problem problem(naive.text());
      const attentune_tensors tensors = tensors_of(naive).c_struct();
      const bool ran = attentune_run(runtime, problem.get(), &tensors) == ATTENTUNE_OK && naive.worst_error() < 1e-5;
      const bool drained = attentune_runtime_drain(runtime) == ATTENTUNE_OK;
      attentune_runtime_release(runtime);
      return ran && drained;
    }));
  }
  log.open = true;
  log.open.notify_all();
  other.join();
  attentune_runtime_release(runtime);
}
#endif

namespace {

// Calls back into the library from its log function.
struct Caller {
  attentune_runtime* runtime = nullptr;
  const attentune_problem* problem = nullptr;
  int calls = 0;
  int refused = 0;

  static void say(void* const user, const char*) {
    auto& caller = *static_cast<Caller*>(user);
    attentune_kernel* kernel = nullptr;
    attentune_runtime* another = nullptr;
    const attentune_options options = c_host();
    const attentune_tensors none{};
    for (const attentune_status status :
         {attentune_kernel_get(caller.runtime, caller.problem, &kernel),
          attentune_run(caller.runtime, caller.problem, &none), attentune_runtime_drain(caller.runtime),
          attentune_runtime_create(&options, &another)}) {
      ++caller.calls;
      caller.refused += status == ATTENTUNE_MISUSE && last_error_has("log function") ? 1 : 0;
    }
  }
};

}  // namespace

TEST_CASE("abi: a log function that calls what may wait for it is refused, not left to wait for ever") {
  alarm(60);  // ends this program where it would hang
  Caller caller;
  attentune_options options = c_host();
  options.log = Caller::say;
  options.log_user = &caller;
  REQUIRE(attentune_runtime_create(&options, &caller.runtime) == ATTENTUNE_OK);
  const attentune::Problem first("dtype=f32 heads=2 head_dim=64 seq=64");
  const attentune::Problem second("dtype=f32 heads=2 head_dim=80 seq=64");
  caller.problem = second.get();
  attentune_kernel* kernel = nullptr;
  REQUIRE(attentune_kernel_get(caller.runtime, first.get(), &kernel) == ATTENTUNE_OK);
  attentune_kernel_release(kernel);
  CHECK(caller.calls > 0);
  CHECK(caller.refused == caller.calls);
  // Outside of it the thread is as free as before.
  REQUIRE(attentune_kernel_get(caller.runtime, second.get(), &kernel) == ATTENTUNE_OK);
  attentune_kernel_release(kernel);
  attentune_runtime_release(caller.runtime);
  alarm(0);
}
