// What libattentune.so shows, and that another LLVM in the process does not disturb the one inside it.
#include <dlfcn.h>
#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace {

struct Output {
  std::string text;
  int status = -1;
};

Output run(const std::string& command) {
  Output output;
  std::FILE* const pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) {
    return output;
  }
  std::array<char, 4096> buffer{};
  for (std::size_t got = fread(buffer.data(), 1, buffer.size(), pipe); got > 0;
       got = fread(buffer.data(), 1, buffer.size(), pipe)) {
    output.text.append(buffer.data(), got);
  }
  output.status = pclose(pipe);
  return output;
}

}  // namespace

TEST_CASE("symbols: only the C interface is visible") {
  const Output nm = run("nm -D --defined-only '" ATTENTUNE_LIBRARY_PATH "'");
  if (nm.status != 0) {
    MESSAGE("skipped: nm cannot be run: " << nm.text);
    return;
  }
  int shown = 0;
  for (std::size_t begin = 0; begin < nm.text.size();) {
    const std::size_t end = nm.text.find('\n', begin);
    const std::string line = nm.text.substr(begin, end - begin);
    const std::string name = line.substr(line.rfind(' ') + 1);
    CHECK_MESSAGE(name.starts_with("attentune_"), line);
    ++shown;
    begin = end == std::string::npos ? nm.text.size() : end + 1;
  }
  CHECK(shown == 18);
}

TEST_CASE("symbols: a problem runs with another LLVM loaded before") {
  // In a process of its own, because here the library is loaded already. Preloaded, the other LLVM's symbols come first
  // in every search: stricter than dlopen(RTLD_GLOBAL).
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  int tried = 0;
  for (const char* const name :
       {"libLLVM.so.19.1", "libLLVM-19.so.1", "libLLVM-18.so.1", "libLLVM-15.so.1", "libLLVM-14.so.1"}) {
    if (run(std::string("LD_PRELOAD=") + name + " /bin/true").text.find("cannot be preloaded") != std::string::npos) {
      continue;
    }
    const Output output = run(std::string("LD_PRELOAD=") + name + " '" + self + "' -tc='abi: end to end*'");
    CHECK_MESSAGE(output.status == 0, name << ": " << output.text);
    CHECK_MESSAGE(output.text.find("1 passed") != std::string::npos, name << ": " << output.text);
    ++tried;
  }
  if (tried == 0) {
    MESSAGE("skipped: no shared libLLVM on this machine");
    std::puts("skipped: no shared libLLVM on this machine");
  }
}

TEST_CASE("symbols: the library loads by name into a process, and once more") {
  void* const first = dlopen(ATTENTUNE_LIBRARY_PATH, RTLD_NOW | RTLD_LOCAL);
  REQUIRE_MESSAGE(first != nullptr, dlerror());
  using Version = const char* (*)();
  const auto version = reinterpret_cast<Version>(dlsym(first, "attentune_version"));
  REQUIRE((version != nullptr));
  CHECK(std::string(version()) == "0.1.0");
  CHECK(dlsym(first, "LLVMContextCreate") == nullptr);
  dlclose(first);
}
