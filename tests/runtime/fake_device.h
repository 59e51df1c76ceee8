// FakeDevice: a Device, and its own Compiler, that compiles nothing in no time and counts what it is asked for, so that
// tests of lookups need no compiler.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "generator/error.h"
#include "runtime/device.h"

namespace attentune::test {

class FakeModule final : public Module {};

class FakeDevice final : public Device, public Compiler {
 public:
  explicit FakeDevice(
      Arch arch = parse_arch("host:x86_64:haswell:64bit,avx,avx2,bmi,bmi2,f16c,fma,sse,sse2,sse3,sse4.1,sse4.2,ssse3"))
      : arch_(std::move(arch)) {
    identity_.kind = DeviceIdentity::Kind::host;
    identity_.name = "Fake";
    identity_.arch = "haswell";
    identity_.l1_kib = 32;
    identity_.l2_kib = 256;
    identity_.l3_kib = 8192;
    identity_.threads = 2;
  }

  [[nodiscard]] const DeviceIdentity& identity() const noexcept override { return identity_; }
  [[nodiscard]] const Arch& arch() const noexcept override { return arch_; }
  [[nodiscard]] const Compiler& compiler() const override { return *this; }
  [[nodiscard]] std::string name() const override { return compiler_; }
  [[nodiscard]] std::string options() const override { return "O0"; }

  [[nodiscard]] Binary compile(const Source& source) const override {
    {
      const std::lock_guard lock(mutex_);
      compile_threads_.insert(std::this_thread::get_id());
    }
    ++compiles;
    if (on_compile) {
      on_compile();
    }
    if (compile_ms > 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(compile_ms));
    }
    if (compile_fails) {
      throw Error(Status::compile_failed, "the fake compiler was told to fail");
    }
    Binary binary;
    binary.arch = to_text(arch_);
    binary.compiler = compiler_;
    binary.options = "O0";
    const std::string text = "fake object of " + std::to_string(std::hash<std::string>{}(source.text));
    binary.object.assign(text.begin(), text.end());
    return binary;
  }

  [[nodiscard]] std::shared_ptr<const Module> load(const Binary& binary) const override {
    ++loads;
    const std::string_view text(reinterpret_cast<const char*>(binary.object.data()), binary.object.size());
    if (!text.starts_with("fake object")) {
      throw Error(Status::device_failed, "not an object of the fake device");
    }
    return std::make_shared<FakeModule>();
  }

  [[nodiscard]] int workers() const noexcept override { return 2; }
  void launch(const Module&, const BoundCall& call, Stream) const override {
    ++launches;
    if (on_launch) {
      on_launch(call.prepared);
    }
  }

  [[nodiscard]] std::set<std::thread::id> compile_threads() const {
    const std::lock_guard lock(mutex_);
    return compile_threads_;
  }

  std::string compiler_ = "fake 1";
  int compile_ms = 0;
  bool compile_fails = false;
  std::function<void()> on_compile;
  std::function<void(const AttentunePreparedCall&)> on_launch;
  mutable std::atomic<int> compiles{0};
  mutable std::atomic<int> loads{0};
  mutable std::atomic<int> launches{0};

 private:
  Arch arch_;
  DeviceIdentity identity_;
  mutable std::mutex mutex_;
  mutable std::set<std::thread::id> compile_threads_;
};

}  // namespace attentune::test
