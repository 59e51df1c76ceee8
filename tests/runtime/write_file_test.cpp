#include "runtime/write_file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>

#include "generator/error.h"

using namespace attentune;
namespace fs = std::filesystem;

namespace {

class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("attentune-write-" + std::to_string(getpid()))) {
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string operator/(const char* name) const { return (path_ / name).string(); }
  [[nodiscard]] std::ptrdiff_t entries() const { return std::distance(fs::directory_iterator(path_), {}); }

 private:
  fs::path path_;
};

void put(const std::string& path, std::string_view text) { write_file(path, std::as_bytes(std::span(text))); }

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

mode_t mode_of(const std::string& path) {
  struct stat status{};
  return lstat(path.c_str(), &status) == 0 ? status.st_mode : 0;
}

Status refused_with(const std::string& path) {
  try {
    put(path, "text");
  } catch (const Error& error) {
    CAPTURE(error.what());
    CHECK(std::string(error.what()).find(path + " cannot be written: ") == 0);
    CHECK(std::string(error.what()).find("; ") != std::string::npos);
    return error.status();
  }
  return Status::ok;
}

}  // namespace

TEST_CASE("a file is replaced at once and keeps its mode") {
  const Folder folder;
  const std::string path = folder / "file";
  put(path, "first");
  REQUIRE(chmod(path.c_str(), 0640) == 0);
  std::ifstream open_before(path);
  put(path, "second");
  CHECK(text_of(path) == "second");
  CHECK(mode_of(path) == (S_IFREG | 0640));
  // Who has the old one open still reads it whole.
  CHECK(std::string(std::istreambuf_iterator<char>(open_before), {}) == "first");
  CHECK(folder.entries() == 1);
}

TEST_CASE("a name as long as the file system takes is written") {
  const Folder folder;
  const std::string path = folder / std::string(255, 'n').c_str();
  put(path, "text");
  CHECK(text_of(path) == "text");
}

TEST_CASE("a link stays a link, also one to a file that is not there yet") {
  const Folder folder;
  fs::create_directory(folder / "real");
  fs::create_symlink("real/file", folder / "link");
  fs::create_symlink(folder / "link", folder / "link of link");
  put(folder / "link", "first");
  CHECK(text_of(folder / "real/file") == "first");
  put(folder / "link of link", "second");
  CHECK(text_of(folder / "real/file") == "second");
  CHECK(S_ISLNK(mode_of(folder / "link")));
  CHECK(S_ISLNK(mode_of(folder / "link of link")));
  CHECK(S_ISREG(mode_of(folder / "real/file")));
}

TEST_CASE("a pipe stays a pipe and carries the bytes") {
  const Folder folder;
  const std::string path = folder / "pipe";
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK);
  REQUIRE(reader >= 0);
  require_writable(path);
  put(path, "through");
  std::array<char, 16> bytes{};
  CHECK(read(reader, bytes.data(), bytes.size()) == 7);
  CHECK(std::string_view(bytes.data()) == "through");
  close(reader);
  CHECK(S_ISFIFO(mode_of(path)));
}

TEST_CASE("a device stays a device, and a full one is told") {
  const Folder folder;
  const std::string path = folder / "full";
  // As /dev/full; a node of our own, so that a fault here harms nobody.
  if (mknod(path.c_str(), S_IFCHR | 0666, makedev(1, 7)) != 0 || access(path.c_str(), W_OK) != 0) {
    MESSAGE("skipped: this user may not make a device node");
    return;
  }
  fs::create_symlink(path, folder / "link");
  require_writable(path);
  CHECK(refused_with(path) == Status::device_failed);
  CHECK(refused_with(folder / "link") == Status::device_failed);
  CHECK(S_ISCHR(mode_of(path)));
  CHECK(S_ISLNK(mode_of(folder / "link")));
}

TEST_CASE("a file that is open already, as /dev/stdout names one, is added to and not replaced") {
  const Folder folder;
  const std::string path = folder / "log";
  put(path, "before ");
  const int file = open(path.c_str(), O_WRONLY | O_APPEND);
  put("/proc/self/fd/" + std::to_string(file), "after");
  CHECK(write(file, "!", 1) == 1);
  close(file);
  CHECK(text_of(path) == "before after!");
}

TEST_CASE("what cannot be written is known before the first byte, and nothing is left behind") {
  const Folder folder;
  fs::create_directory(folder / "folder");
  fs::create_symlink("loop", folder / "loop");
  put(folder / "file", "text");
  for (const std::string& path : {folder / "none/file", folder / "folder", folder / "loop", folder / "file/below",
                                  std::string(), std::string("/proc/attentune")}) {
    CAPTURE(path);
    CHECK(refused_with(path) == Status::misuse);
    CHECK_THROWS_AS(require_writable(path), Error);
  }
  require_writable(folder / "new");
  require_writable(folder / "file");
  CHECK(text_of(folder / "file") == "text");
  CHECK(folder.entries() == 3);
}
