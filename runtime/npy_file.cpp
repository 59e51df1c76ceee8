#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "generator/error.h"
#include "runtime/npy.h"

namespace attentune {
namespace {

[[noreturn]] void refuse(const std::string& path, const char* what, int error, const char* remedy) {
  throw RefusalError({path, std::strerror(error), what, remedy});
}

class File {
 public:
  explicit File(int descriptor) noexcept : descriptor_(descriptor) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (descriptor_ >= 0)
      close(descriptor_);
  }
  [[nodiscard]] int get() const noexcept { return descriptor_; }

 private:
  int descriptor_;
};

void write_all(int descriptor, const std::vector<std::uint8_t>& bytes, const std::string& path) {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t count = write(descriptor, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      refuse(path, "the file cannot be written", errno, "name another folder or free some space");
    done += static_cast<std::size_t>(count);
  }
}

}  // namespace

NpyArray read_npy(const std::string& path) {
  const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0)
    refuse(path, "the file cannot be opened", errno, "check the path");
  struct stat status{};
  if (fstat(file.get(), &status) != 0)
    refuse(path, "the file cannot be read", errno, "check the path");
  if (!S_ISREG(status.st_mode))
    refuse(path, "it is not a regular file", EINVAL, "give the path of a .npy file");
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(status.st_size));
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = read(file.get(), bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      refuse(path, "the file cannot be read", errno, "check the path");
    if (count == 0)
      break;
    done += static_cast<std::size_t>(count);
  }
  bytes.resize(done);  // it may have shrunk meanwhile
  return parse_npy(bytes, path);
}

void write_npy(const std::string& path, const NpyArray& array) {
  const std::vector<std::uint8_t> bytes = format_npy(array);
  const std::string temporary = fmt::format("{}.{}.tmp", path, getpid());
  try {
    const File file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    if (file.get() < 0)
      refuse(path, "the file cannot be created", errno, "name a folder that can be written");
    write_all(file.get(), bytes, path);
    if (std::rename(temporary.c_str(), path.c_str()) != 0) {
      refuse(path, "the file cannot be put in place", errno, "name a path that is not a folder");
    }
  } catch (...) {
    unlink(temporary.c_str());
    throw;
  }
}

}  // namespace attentune
