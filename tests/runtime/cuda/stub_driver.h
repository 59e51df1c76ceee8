// The stub driver of tests/cuda_stub, fresh for one test.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "runtime/cuda/driver.h"
#include "runtime/cuda/shared_library.h"
#include "tests/cuda_stub/cuda_stub.h"

namespace attentune::test {

class StubDriver {
 public:
  StubDriver() : library_(ATTENTUNE_CUDA_STUB) {
    REQUIRE(library_.is_open());
    find("cuda_stub_reset", reset_);
    find("cuda_stub_set", set);
    find("cuda_stub_fail", fail);
    find("cuda_stub_calls", calls_);
    find("cuda_stub_record", record);
    find("cuda_stub_call_count", call_count);
    find("cuda_stub_alive", alive);
    find("cuda_stub_create_context", create_context);
    find("cuda_stub_destroy_context", destroy_context);
    find("cuda_stub_on_launch", on_launch);
    find("cuCtxSetCurrent", set_current);
    find("cuCtxGetCurrent", get_current);
    set_current(nullptr);
    reset_();
  }
  ~StubDriver() {
    set_current(nullptr);
    reset_();
    CHECK(alive() == 0);
  }
  StubDriver(const StubDriver&) = delete;
  StubDriver& operator=(const StubDriver&) = delete;

  [[nodiscard]] std::shared_ptr<const cuda::Driver> open() const { return cuda::Driver::open(ATTENTUNE_CUDA_STUB); }
  // The calls since the last time it was asked.
  [[nodiscard]] std::string calls() const {
    std::string text = calls_();
    const std::string all = text;
    text.erase(0, seen_.size());
    seen_ = all;
    return text;
  }
  [[nodiscard]] void* current() const {
    cuda::CuContext context = nullptr;
    get_current(&context);
    return context;
  }

  void (*set)(const char* what, int value) = nullptr;
  void (*fail)(const char* function, int result) = nullptr;
  void (*record)(int on) = nullptr;
  long (*call_count)() = nullptr;
  long (*alive)() = nullptr;
  void* (*create_context)() = nullptr;
  void (*destroy_context)(void* context) = nullptr;
  void (*on_launch)(CudaStubKernel kernel, void* user) = nullptr;
  cuda::CuResult (*set_current)(cuda::CuContext context) = nullptr;

 private:
  template <typename Function>
  void find(const char* const symbol, Function*& function) {
    REQUIRE(library_.find(symbol, function));
  }

  cuda::SharedLibrary library_;
  void (*reset_)() = nullptr;
  const char* (*calls_)() = nullptr;
  cuda::CuResult (*get_current)(cuda::CuContext* context) = nullptr;
  mutable std::string seen_;
};

}  // namespace attentune::test
