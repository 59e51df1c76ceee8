// SharedLibrary: a library opened at run time, so that attentune runs on machines that do not have it. It stays loaded
// until the process ends: NVIDIA's libraries keep state for the process, and NVRTC leaks a little at each unloading.
#pragma once

#include <dlfcn.h>

#include <string>

namespace attentune::cuda {

class SharedLibrary {
 public:
  SharedLibrary() = default;
  // A path, or a name the loader looks for. Check is_open(), then error().
  explicit SharedLibrary(const std::string& name) : handle_(dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) {
      const char* const reason = dlerror();
      error_ = reason == nullptr ? name + " cannot be opened" : reason;
    }
  }

  [[nodiscard]] bool is_open() const noexcept { return handle_ != nullptr; }
  [[nodiscard]] const std::string& error() const noexcept { return error_; }

  // Points `function` at the symbol; false when there is none, and then `function` is null.
  template <typename Function>
  bool find(const char* const symbol, Function*& function) const {
    function = reinterpret_cast<Function*>(dlsym(handle_, symbol));
    return function != nullptr;
  }

 private:
  void* handle_ = nullptr;
  std::string error_;
};

}  // namespace attentune::cuda
