#include "runtime/cuda/nvrtc.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "generator/error.h"

namespace attentune::cuda {
namespace {

// Family-specific targets ("sm_100f") came with NVRTC 12.9.
constexpr NvrtcVersion family_targets_since{.major = 12, .minor = 9};

// The file a function was loaded from.
std::string file_of(const void* const function) {
  Dl_info info{};
  return dladdr(function, &info) != 0 && info.dli_fname != nullptr ? info.dli_fname : "";
}

}  // namespace

bool Nvrtc::bind(std::string& error) {
  const auto find = [&](const char* const symbol, auto*& function) {
    if (!library_.find(symbol, function) && error.empty())
      error = std::string("it has no ") + symbol;
  };
  find("nvrtcVersion", nvrtc_.version);
  find("nvrtcGetNumSupportedArchs", nvrtc_.num_supported_archs);
  find("nvrtcGetSupportedArchs", nvrtc_.supported_archs);
  find("nvrtcGetErrorString", nvrtc_.error_string);
  find("nvrtcCreateProgram", nvrtc_.create_program);
  find("nvrtcDestroyProgram", nvrtc_.destroy_program);
  find("nvrtcCompileProgram", nvrtc_.compile_program);
  find("nvrtcGetProgramLogSize", nvrtc_.log_size);
  find("nvrtcGetProgramLog", nvrtc_.log);
  find("nvrtcGetPTXSize", nvrtc_.ptx_size);
  find("nvrtcGetPTX", nvrtc_.ptx);
  find("nvrtcGetCUBINSize", nvrtc_.cubin_size);
  find("nvrtcGetCUBIN", nvrtc_.cubin);
  return error.empty();
}

std::shared_ptr<const Nvrtc> Nvrtc::open(const std::string& name, std::string& error) {
  const std::shared_ptr<Nvrtc> opened(new Nvrtc);
  opened->library_ = SharedLibrary(name);
  error = opened->library_.error();
  if (!opened->library_.is_open() || !opened->bind(error))
    return nullptr;
  const Functions& nvrtc = opened->nvrtc_;
  int count = 0;
  if (nvrtc.version(&opened->version_.major, &opened->version_.minor) != NvrtcResult::success ||
      nvrtc.num_supported_archs(&count) != NvrtcResult::success || count < 0) {
    error = "it does not say its version";
    return nullptr;
  }
  opened->archs_.resize(static_cast<std::size_t>(count));
  if (count > 0 && nvrtc.supported_archs(opened->archs_.data()) != NvrtcResult::success)
    opened->archs_.clear();
  opened->path_ = file_of(reinterpret_cast<const void*>(nvrtc.version));
  return opened;
}

bool Nvrtc::supports(const Arch& arch) const {
  const std::string_view digits = std::string_view(arch.name).substr(std::min<std::size_t>(arch.name.size(), 3));
  int number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return std::ranges::find(archs_, number) != archs_.end() &&
         (!arch.name.ends_with('f') || version_ >= family_targets_since);
}

Nvrtc::Output Nvrtc::compile(const std::string& text, const std::vector<std::string>& options) const {
  struct Program {
    const Functions& nvrtc;
    NvrtcProgram handle = nullptr;
    ~Program() {
      if (handle != nullptr)
        nvrtc.destroy_program(&handle);
    }
  };
  Program program{.nvrtc = nvrtc_};
  Output output;
  const auto failed = [&](const NvrtcResult result) {
    output.result = result;
    output.message = nvrtc_.error_string(result);
    return result != NvrtcResult::success;
  };
  // Sizes of texts count the terminator.
  const auto read = [&](const auto& size_of, const auto& content_of, auto& bytes) {
    std::size_t size = 0;
    if (size_of(program.handle, &size) != NvrtcResult::success || size == 0)
      return;
    bytes.resize(size);
    if (content_of(program.handle, reinterpret_cast<char*>(bytes.data())) != NvrtcResult::success)
      bytes.clear();
  };
  const auto read_text = [&](const auto& size_of, const auto& content_of, std::string& result) {
    read(size_of, content_of, result);
    result.resize(std::min(result.size(), result.find('\0')));
  };

  if (failed(nvrtc_.create_program(&program.handle, text.c_str(), "attentune.cu", 0, nullptr, nullptr)))
    return output;
  std::vector<const char*> pointers;
  pointers.reserve(options.size());
  for (const std::string& option : options)
    pointers.push_back(option.c_str());
  const NvrtcResult result = nvrtc_.compile_program(program.handle, static_cast<int>(pointers.size()), pointers.data());
  read_text(nvrtc_.log_size, nvrtc_.log, output.log);
  if (failed(result))
    return output;
  read_text(nvrtc_.ptx_size, nvrtc_.ptx, output.ptx);
  read(nvrtc_.cubin_size, nvrtc_.cubin, output.cubin);
  return output;
}

}  // namespace attentune::cuda
