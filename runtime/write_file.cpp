#include "runtime/write_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "generator/error.h"

namespace attentune {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& path, int error) {
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG || error == EIO;
  throw Error(full ? Status::device_failed : Status::misuse,
              fmt::format("{} cannot be written: {}; {}", path, std::strerror(error),
                          full ? "free some space, or name a file elsewhere"
                               : "name a file in a folder that exists and can be written"));
}

// How a path is written.
struct Place {
  std::optional<fs::path> file;  // the regular file to replace; nothing: the path is written into
  std::optional<mode_t> mode;    // of the file that is there already
};

// A link in /proc/self/fd, to which /dev/stdout leads, stands for a file that is open already: replacing that file
// would take it away from whoever opened it.
bool names_open_file(const fs::path& link) {
  struct statfs system{};
  const fs::path folder = link.parent_path();
  return statfs(folder.empty() ? "." : folder.c_str(), &system) == 0 && system.f_type == PROC_SUPER_MAGIC;
}

Place place_of(const std::string& path) {
  struct stat status{};
  const bool exists = stat(path.c_str(), &status) == 0;
  if (!exists && (errno != ENOENT || path.empty()))
    fail(path, errno);
  if (exists && S_ISDIR(status.st_mode))
    fail(path, EISDIR);
  if (exists && access(path.c_str(), W_OK) != 0)
    fail(path, errno);
  if (exists && !S_ISREG(status.st_mode))
    return {};
  fs::path file = path;
  for (std::error_code error; fs::is_symlink(file, error);) {
    if (names_open_file(file))
      return {};
    const fs::path target = fs::read_symlink(file, error);
    if (error)
      fail(path, error.value());
    file = file.parent_path() / target;
  }
  return {.file = file, .mode = exists ? std::optional(status.st_mode & 0777) : std::nullopt};
}

class Descriptor {
 public:
  Descriptor(const std::string& path, int number) : path_(path), number_(number) {
    if (number < 0)
      fail(path, errno);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0)
      ::close(number_);
  }

  void write(std::span<const std::byte> bytes) const {
    while (!bytes.empty()) {
      const ssize_t count = ::write(number_, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR)
        continue;
      if (count < 0)
        fail(path_, errno);
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
  }

  // Some file systems say only here that there was no room.
  void close() {
    if (::close(std::exchange(number_, -1)) != 0)
      fail(path_, errno);
  }

 private:
  const std::string& path_;
  int number_;
};

// A file beside the one it is to replace; it goes away unless it took that place.
class Replacement {
 public:
  Replacement(const std::string& path, const Place& place)
      : path_(path), target_(*place.file), file_(path, create(place.mode)) {}
  Replacement(const Replacement&) = delete;
  Replacement& operator=(const Replacement&) = delete;
  ~Replacement() {
    if (!name_.empty())
      unlink(name_.c_str());
  }

  void take_place(std::span<const std::byte> bytes) {
    file_.write(bytes);
    file_.close();
    if (std::rename(name_.c_str(), target_.c_str()) != 0)
      fail(path_, errno);
    name_.clear();
  }

 private:
  int create(std::optional<mode_t> mode) {
    int number = -1;
    // A killed process may have left its file behind.
    for (int n = 0; n < 100; ++n) {
      name_ = target_.parent_path() / fmt::format(".attentune-{}-{}.tmp", getpid(), n);
      number = open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (number >= 0 || errno != EEXIST)
        break;
    }
    if (number >= 0 && mode)
      fchmod(number, *mode);
    return number;
  }

  const std::string& path_;
  fs::path target_;
  fs::path name_;
  Descriptor file_;
};

}  // namespace

void write_file(const std::string& path, std::span<const std::byte> bytes) {
  const Place place = place_of(path);
  if (place.file) {
    Replacement(path, place).take_place(bytes);
    return;
  }
  Descriptor file(path, open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY));
  file.write(bytes);
  file.close();
}

void require_writable(const std::string& path) {
  const Place place = place_of(path);
  if (place.file)
    const Replacement tried(path, place);
}

}  // namespace attentune
