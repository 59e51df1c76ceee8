#include "cache/ownership.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace attentune {

namespace {

std::optional<std::string> unsafe(const std::string& path, const std::string& what, bool sticky_passes) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0)
    return std::nullopt;  // no such file: nothing to distrust
  if (info.st_uid != ::geteuid() && info.st_uid != 0) {
    return "the " + what + " " + path +
           " belongs to another user and holds code that would run here; own it with `chown " +
           std::to_string(::geteuid()) + " " + path + "` if you trust it, or name another Store with --store";
  }
  const bool writable_by_others = (info.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  const bool sticky = (info.st_mode & S_ISVTX) != 0;
  if (writable_by_others && !(sticky_passes && sticky)) {
    return "the " + what + " " + path +
           " can be written by other users and holds code that would run here; close it with `chmod go-w " + path +
           "` or name another Store with --store";
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> unsafe_ownership(const std::string& path) {
  // A symbolic link is followed first: what counts is the directory in which the file could be replaced.
  std::error_code failed;
  std::filesystem::path real = std::filesystem::weakly_canonical(path, failed);
  if (failed)
    real = path;
  if (auto reason = unsafe(real.string(), "Store", false))
    return reason;
  return unsafe(real.parent_path().string(), "Store's directory", true);
}

}  // namespace attentune
