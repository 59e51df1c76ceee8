// The host device: who it is, and that it runs what it compiled.
#include "runtime/host_device.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "generator/error.h"
#include "runtime/host_identity.h"
#include "runtime/runtime.h"

using namespace attentune;

TEST_CASE("host identity: a brand becomes one word") {
  CHECK(brand_word("processor\t: 0\nmodel name\t: Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz\nmodel\t\t: 143\n") ==
        "Intel(R)_Xeon(R)_Platinum_8481C_CPU_@_2.70GHz");
  CHECK(brand_word("model name : AMD   EPYC\t9B14 \n") == "AMD_EPYC_9B14");
  CHECK(brand_word("model name : it's \"quoted\"=x\n") == "it_s_quoted_x");
  CHECK(brand_word("CPU implementer\t: 0x41\nCPU part\t: 0xd40\n") == "arm_0x41_0xd40");
  CHECK(brand_word("").empty());
  CHECK(brand_word("model name\nmodel name :\n").empty());
  CHECK(brand_word("model name : " + std::string(5000, 'x')).size() == 64);
}

TEST_CASE("host identity: caches from sysfs") {
  namespace fs = std::filesystem;
  const fs::path folder = fs::temp_directory_path() / ("attentune_caches_" + std::to_string(getpid()));
  const auto cache = [&](const int index, const char* const level, const char* const type, const char* const size) {
    const fs::path place = folder / ("index" + std::to_string(index));
    fs::create_directories(place);
    std::ofstream(place / "level") << level << '\n';
    std::ofstream(place / "type") << type << '\n';
    std::ofstream(place / "size") << size << '\n';
  };
  cache(0, "1", "Data", "48K");
  cache(1, "1", "Instruction", "64K");
  cache(2, "2", "Unified", "2M");
  cache(3, "3", "Unified", "107520K");
  CHECK(sysfs_caches(folder.string()) == CacheSizes{.l1_data = 48, .l2 = 2048, .l3 = 107520});
  cache(3, "x", "Unified", "lots");
  CHECK(sysfs_caches(folder.string()).l3 == 0);
  fs::remove_all(folder);
  CHECK(sysfs_caches(folder.string()) == CacheSizes{});
}

TEST_CASE("host identity: this machine has a name, a first-level cache and text both ways") {
  const HostDevice device(2);
  const DeviceIdentity& identity = device.identity();
  CHECK(!identity.name.empty());
  CHECK(identity.l1_kib > 0);
  CHECK(identity.threads == 2);
  CHECK(identity.features_digest.size() == 8);
  CHECK(parse_device_identity(to_text(identity)) == identity);
  CHECK(HostDevice(1).identity() != identity);  // threads are part of it
}

TEST_CASE("devices: what is not there is refused with a remedy") {
  for (const char* const name : {"gpu:99", "gpu:x", "sim:sm_90a", "tpu", ""}) {
    CAPTURE(name);
    try {
      static_cast<void>(open_device(name));
      FAIL("opened");
    } catch (const Error& error) {
      const std::string sentence = error.what();
      CAPTURE(sentence);
      CHECK((sentence.find("--device host") != std::string::npos || sentence.find("use gpu:0") != std::string::npos));
    }
  }
  CHECK(open_device(default_device_name(), {.threads = 1})->workers() >= 1);
}

TEST_CASE("host device: a malformed object does not load") {
  const HostDevice device(1);
  Binary binary;
  binary.object = std::vector<std::uint8_t>(200, 7);
  CHECK_THROWS_AS((void)device.load(binary), Error);
  CHECK_THROWS_AS((void)device.compiler().compile(Source{.text = "this is no IR", .launches = {}}), Error);
}

namespace {

struct Free {
  void operator()(void* const memory) const noexcept { std::free(memory); }
};

// Causal attention of one batch in double, compared against a run.
double worst_error(Runtime& runtime, const std::int64_t len_q, const std::int64_t len_kv) {
  Problem problem = parse_problem("dtype=f32 heads=4/2 head_dim=24 seq=1 mask=causal() outputs=out,lse");
  problem.len_q = len_q;
  problem.len_kv = len_kv;
  AttentionTensors tensors = contiguous(problem);
  const auto values = [](const std::int64_t count, const double step) {
    std::vector<float> result(static_cast<std::size_t>(count));
    for (std::size_t n = 0; n < result.size(); ++n) {
      result[n] = static_cast<float>(std::sin(step * static_cast<double>(n)));
    }
    return result;
  };
  std::vector<float> q = values(elements_q(problem), 0.37);
  std::vector<float> k = values(elements_k(problem), 0.11);
  std::vector<float> v = values(elements_v(problem), 0.73);
  std::vector<float> out(static_cast<std::size_t>(elements_out(problem)), std::numeric_limits<float>::quiet_NaN());
  std::vector<float> lse(static_cast<std::size_t>(elements_lse(problem)), std::numeric_limits<float>::quiet_NaN());
  tensors.q.data = q.data();
  tensors.k.data = k.data();
  tensors.v.data = v.data();
  tensors.out.data = out.data();
  tensors.lse.data = lse.data();

  const Kernel& kernel = *runtime.kernel(problem).kernel;
  const std::size_t bytes = kernel.workspace_bytes(problem);
  const std::unique_ptr<void, Free> workspace(std::aligned_alloc(64, bytes + 64 - bytes % 64));
  const Binding binding = kernel.bind(problem, tensors, workspace.get(), bytes);
  binding.launch();

  const auto at = [](const std::vector<float>& tensor, const std::int64_t row, const std::int64_t heads,
                     const std::int64_t head, const std::int64_t c) {
    return static_cast<double>(tensor[static_cast<std::size_t>((row * heads + head) * 24 + c)]);
  };
  double worst = 0;
  for (std::int64_t h = 0; h < 4; ++h) {
    for (std::int64_t i = 0; i < len_q; ++i) {
      double sum = 0;
      std::vector<double> row(24);
      for (std::int64_t j = 0; j < len_kv && j <= i + problem.shift(); ++j) {
        double score = 0;
        for (std::int64_t c = 0; c < 24; ++c) {
          score += at(q, i, 4, h, c) * at(k, j, 2, h / 2, c);
        }
        const double p = std::exp(score * problem.effective_scale());
        sum += p;
        for (std::int64_t c = 0; c < 24; ++c) {
          row[static_cast<std::size_t>(c)] += p * at(v, j, 2, h / 2, c);
        }
      }
      const double got_lse = static_cast<double>(lse[static_cast<std::size_t>(h * len_q + i)]);
      if (sum == 0) {
        worst = got_lse == -std::numeric_limits<double>::infinity() ? worst : 1e9;
      } else {
        worst = std::max(worst, std::abs(got_lse - std::log(sum)));
      }
      for (std::int64_t c = 0; c < 24; ++c) {
        const double want = sum == 0 ? 0 : row[static_cast<std::size_t>(c)] / sum;
        const double error = std::abs(at(out, i, 4, h, c) - want);
        worst = error <= worst ? worst : error;  // NaN becomes the worst
      }
    }
  }
  return worst;
}

}  // namespace

TEST_CASE("host device: what the runtime finds computes attention") {
  Runtime runtime(open_device("host", {.threads = 2}), nullptr, {});
  CHECK(worst_error(runtime, 37, 37) < 1e-5);
  CHECK(worst_error(runtime, 1, 300) < 1e-5);
  CHECK(worst_error(runtime, 300, 100) < 1e-5);
  CHECK(worst_error(runtime, 5, 0) < 1e-5);
  CHECK(worst_error(runtime, 0, 5) < 1e-5);
  CHECK(runtime.counters().compiles == 1);
}

TEST_CASE("host device: several threads launch at once, on the caller's executor too") {
  const std::unique_ptr<Executor> pool = make_pool(2);
  Runtime runtime(open_host(*pool), nullptr, {});
  std::vector<std::thread> threads;
  std::vector<double> errors(3);
  for (std::size_t n = 0; n < errors.size(); ++n) {
    threads.emplace_back([&, n] { errors[n] = worst_error(runtime, 40 + static_cast<std::int64_t>(n) * 30, 150); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const double error : errors) {
    CHECK(error < 1e-5);
  }
}

TEST_CASE("host device: strict verifies the kernel on its probes") {
  RuntimeOptions options;
  options.strict = true;
  Runtime runtime(open_device("host", {.threads = 2}), nullptr, options);
  CHECK(runtime.kernel(parse_problem("dtype=f32 heads=4/2 head_dim=24 seq=64 mask=causal()")).trust ==
        Trust::verified_here);
}
