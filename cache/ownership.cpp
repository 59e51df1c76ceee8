#include "cache/ownership.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace attentune {

namespace {

constexpr const char* or_another = "or name another Store with --store";

bool of_another_user(const struct stat& info) { return info.st_uid != ::geteuid() && info.st_uid != 0; }
bool writable_by_others(const struct stat& info) { return (info.st_mode & (S_IWGRP | S_IWOTH)) != 0; }

std::string belongs_to_another(const std::string& path, const struct stat& info) {
  return path + " belongs to user " + std::to_string(info.st_uid) +
         ", who could change the code that runs here; own it with `chown " + std::to_string(::geteuid()) + " " + path +
         "` if you trust it, " + or_another;
}

std::string close_it(const std::string& path) {
  return path + " can be written by other users, who could change the code that runs here; close it with `chmod go-w " +
         path + "` if you trust it, " + or_another;
}

std::optional<std::string> unsafe_directory(const std::string& path) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0)
    return std::nullopt;  // opening will say what is wrong
  if (of_another_user(info))
    return "the Store's directory " + belongs_to_another(path, info);
  if (!writable_by_others(info))
    return std::nullopt;
  if ((info.st_mode & S_ISVTX) != 0) {
    return "the Store's directory " + path +
           " is one where other users make files, and they could change the code that runs here; make a directory of "
           "your own with `mkdir -m 700 " +
           (std::filesystem::path(path) / "NAME").string() + "` and name a Store in it with --store";
  }
  return "the Store's directory " + close_it(path);
}

std::optional<std::string> unsafe_file(const std::string& path) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0)
    return std::nullopt;  // no such file: nothing to distrust
  if (!S_ISREG(info.st_mode))
    return "the Store's file " + path + " is not a regular file; move it away, " + or_another;
  if (of_another_user(info))
    return "the Store's file " + belongs_to_another(path, info);
  if (writable_by_others(info))
    return "the Store's file " + close_it(path);
  return std::nullopt;
}

}  // namespace

std::optional<std::string> unsafe_ownership(const std::string& path) {
  // The directory first: once it is known to be closed to others, nobody can exchange a file that was looked at.
  if (auto reason = unsafe_directory(std::filesystem::path(path).parent_path().string()))
    return reason;
  for (const char* const suffix : {"", "-wal", "-journal", "-shm", "-lock"}) {
    if (auto reason = unsafe_file(path + suffix))
      return reason;
  }
  return std::nullopt;
}

}  // namespace attentune
