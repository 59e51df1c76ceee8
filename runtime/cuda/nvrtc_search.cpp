#include "runtime/cuda/nvrtc_search.h"

#include <link.h>

#include <fmt/format.h>
#include <algorithm>
#include <filesystem>
#include <string_view>
#include <utility>

#include "generator/error.h"
#include "runtime/search_path.h"

namespace attentune::cuda {
namespace {

namespace fs = std::filesystem;

// What a folder lists, sorted; nothing when it cannot be read.
std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    entries.push_back(at->path());
  std::ranges::sort(entries);
  return entries;
}

// libnvrtc.so, libnvrtc.so.12, ... but not its variant with another allocator (libnvrtc.alt.so).
void add_libraries(const fs::path& folder, std::vector<std::string>& found) {
  for (const fs::path& entry : entries_of(folder)) {
    if (entry.filename().string().starts_with("libnvrtc.so"))
      found.push_back(entry.string());
  }
}

// PACKAGES/nvidia/{cuda_nvrtc,cu13,...}/lib
void add_python_packages(const fs::path& packages, std::vector<std::string>& found) {
  for (const fs::path& package : entries_of(packages / "nvidia"))
    add_libraries(package / "lib", found);
}

// Of the folders PREFIX/bin.
std::vector<fs::path> prefixes_of(const std::string& search_path) {
  std::vector<fs::path> prefixes;
  for (const fs::path& folder : folders_of(search_path)) {
    if (folder.filename() == "bin")
      prefixes.push_back(folder.parent_path());
  }
  return prefixes;
}

// Every object this process has loaded.
std::vector<std::string> loaded_objects() {
  std::vector<std::string> names;
  dl_iterate_phdr(
      [](dl_phdr_info* const info, std::size_t, void* const context) {
        if (info->dlpi_name != nullptr)
          static_cast<std::vector<std::string>*>(context)->emplace_back(info->dlpi_name);
        return 0;
      },
      &names);
  return names;
}

// "/x/lib/python3.11/site-packages" of "/x/lib/python3.11/site-packages/torch/lib/libtorch.so"
std::string python_packages_of(const std::string& object) {
  for (const std::string_view name : {"/site-packages/", "/dist-packages/"}) {
    const std::size_t at = object.find(name);
    if (at != std::string::npos)
      return object.substr(0, at + name.size() - 1);
  }
  return "";
}

std::string text_of(const NvrtcVersion version) { return fmt::format("{}.{}", version.major, version.minor); }

// "" when this NVRTC will do, else why not.
std::string why_not(const Nvrtc& nvrtc, const Arch& arch, const int driver) {
  if (driver != 0 && nvrtc.version().major > driver / 1000)
    return fmt::format("its code needs a driver for CUDA {}, and this one is for {}.{}", nvrtc.version().major,
                       driver / 1000, driver % 1000 / 10);
  if (!nvrtc.supports(arch))
    return "it does not know " + arch.name;
  return "";
}

[[noreturn]] void refuse(const Arch& arch, std::string limit, const int driver) {
  const std::string package = driver != 0 && driver < 13000 ? "nvidia-cuda-nvrtc-cu12" : "nvidia-cuda-nvrtc";
  throw RefusalError({.field = "arch",
                      .value = arch.name,
                      .limit = std::move(limit),
                      .remedy = "pip install " + package + ", or set ATTENTUNE_NVRTC to the path of a libnvrtc.so"});
}

}  // namespace

std::vector<std::string> nvrtc_candidates(const std::string& search_path) {
  std::vector<std::string> found;
  const std::vector<std::string> loaded = loaded_objects();
  for (const std::string& object : loaded) {
    if (object.find("/libnvrtc.so") != std::string::npos)
      found.push_back(object);
  }
  found.insert(found.end(), {"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"});

  const std::vector<fs::path> prefixes = prefixes_of(search_path);
  std::error_code error;
  std::vector<fs::path> toolkits;
  for (const fs::path& entry : entries_of("/usr/local")) {
    if (entry.filename().string().starts_with("cuda"))
      toolkits.push_back(entry);
  }
  for (const fs::path& prefix : prefixes) {
    if (fs::exists(prefix / "bin" / "nvcc", error))
      toolkits.push_back(prefix);
  }
  for (const fs::path& toolkit : toolkits)
    add_libraries(toolkit / "lib64", found);
  for (const fs::path& prefix : prefixes) {
    if (fs::exists(prefix / "conda-meta", error))
      add_libraries(prefix / "lib", found);
  }

  // A program that runs Python has loaded some of its packages; else Python stands beside a folder of PATH.
  std::vector<std::string> packages;
  packages.reserve(loaded.size());
  for (const std::string& object : loaded)
    packages.push_back(python_packages_of(object));
  for (const fs::path& prefix : prefixes) {
    for (const fs::path& entry : entries_of(prefix / "lib")) {
      if (entry.filename().string().starts_with("python3")) {
        packages.push_back((entry / "site-packages").string());
        packages.push_back((entry / "dist-packages").string());
      }
    }
  }
  std::ranges::sort(packages);
  packages.erase(std::ranges::unique(packages).begin(), packages.end());
  for (const std::string& folder : packages) {
    if (!folder.empty())
      add_python_packages(folder, found);
  }
  return found;
}

std::shared_ptr<const Nvrtc> find_nvrtc(const Arch& arch, const CompilerOptions& options) {
  return find_nvrtc(arch, options,
                    options.nvrtc.empty() ? nvrtc_candidates(options.search_path) : std::vector<std::string>());
}

std::shared_ptr<const Nvrtc> find_nvrtc(const Arch& arch, const CompilerOptions& options,
                                        const std::vector<std::string>& candidates) {
  std::string error;
  if (!options.nvrtc.empty()) {
    const auto given = Nvrtc::open(options.nvrtc, error);
    if (!given)
      refuse(arch, "ATTENTUNE_NVRTC names " + options.nvrtc + ", which is no NVRTC (" + error + ")", options.driver);
    if (const std::string reason = why_not(*given, arch, options.driver); !reason.empty())
      refuse(arch, "ATTENTUNE_NVRTC names " + options.nvrtc + ", NVRTC " + text_of(given->version()) + ": " + reason,
             options.driver);
    return given;
  }
  std::shared_ptr<const Nvrtc> best;
  std::string seen;
  std::vector<std::string> files;
  NvrtcVersion told;
  for (const std::string& candidate : candidates) {
    // The loader knows its names only after it has opened them; links to one file are opened once.
    std::error_code no_file;
    const std::string file = fs::weakly_canonical(candidate, no_file).string();
    if (candidate.find('/') != std::string::npos && std::ranges::find(files, file) != files.end())
      continue;
    const auto nvrtc = Nvrtc::open(candidate, error);
    if (!nvrtc)
      continue;
    files.push_back(fs::weakly_canonical(nvrtc->path(), no_file).string());
    const std::string reason = why_not(*nvrtc, arch, options.driver);
    if (reason.empty() && (!best || nvrtc->version() > best->version()))
      best = nvrtc;
    // One copy of a version tells enough.
    if (!reason.empty() && nvrtc->version() != std::exchange(told, nvrtc->version()))
      seen += fmt::format("{}NVRTC {} at {}: {}", seen.empty() ? "" : "; ", text_of(nvrtc->version()), nvrtc->path(),
                          reason);
  }
  if (!best)
    refuse(arch, seen.empty() ? "no NVRTC (libnvrtc.so) was found on this machine" : seen, options.driver);
  return best;
}

}  // namespace attentune::cuda
