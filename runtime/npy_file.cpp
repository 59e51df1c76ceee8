#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <span>

#include "generator/error.h"
#include "runtime/npy.h"
#include "runtime/write_file.h"

namespace attentune {
namespace {

[[noreturn]] void refuse(const std::string& path, const char* reason) {
  throw Error(Status::refused, fmt::format("{} cannot be read: {}; give the path of a .npy file", path, reason));
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

}  // namespace

NpyArray read_npy(const std::string& path) {
  // Without O_NONBLOCK a pipe would be waited for, before it could be seen to be one.
  const File file(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat status{};
  if (file.get() < 0 || fstat(file.get(), &status) != 0)
    refuse(path, std::strerror(errno));
  if (!S_ISREG(status.st_mode))
    refuse(path, "it is no regular file");
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(status.st_size));
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = read(file.get(), bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      refuse(path, std::strerror(errno));
    if (count == 0)
      break;
    done += static_cast<std::size_t>(count);
  }
  bytes.resize(done);  // it may have shrunk meanwhile
  return parse_npy(bytes, path);
}

void write_npy(const std::string& path, const NpyArray& array) {
  const std::vector<std::uint8_t> bytes = format_npy(array);
  write_file(path, std::as_bytes(std::span(bytes)));
}

}  // namespace attentune
