#include "cache/filesystem.h"

#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>

namespace attentune {

namespace {

// f_type of file systems whose locks or shared memory reach over a network, or may (FUSE and 9p can be anything).
// linux/magic.h has some of them; the others are in the file systems' own sources.
constexpr std::array<std::uint32_t, 17> network_types{
    0x6969,      // NFS
    0x517B,      // SMB
    0xFF534D42,  // CIFS
    0xFE534D42,  // SMB2
    0x0BD00BD0,  // Lustre
    0x47504653,  // GPFS
    0x00C36400,  // Ceph
    0x19830326,  // BeeGFS
    0xAAD7AAEA,  // PanFS
    0x7461636F,  // OCFS2
    0x01161970,  // GFS2
    0x5346414F,  // AFS
    0x6B414653,  // kAFS
    0x73757245,  // Coda
    0x564C,      // NCP
    0x01021997,  // 9p: WSL's drives and shared folders of virtual machines
    0x65735546,  // FUSE: sshfs and many clusters
};

}  // namespace

FilesystemKind filesystem_kind(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  fs::path place = fs::absolute(path, ignored);
  while (!place.empty() && ::access(place.c_str(), F_OK) != 0 && place.has_relative_path())
    place = place.parent_path();

  struct statfs info{};
  if (::statfs(place.c_str(), &info) != 0)
    return FilesystemKind::local;  // opening will say what is wrong
  const auto type = static_cast<std::uint32_t>(info.f_type);
  if (std::find(network_types.begin(), network_types.end(), type) != network_types.end()) {
    return FilesystemKind::network;
  }
  if ((static_cast<unsigned long>(info.f_flags) & ST_RDONLY) != 0)
    return FilesystemKind::read_only;

  // SQLite writes its journal beside the file, so the directory must be writable too.
  const bool is_directory = fs::is_directory(place, ignored);
  const fs::path directory = is_directory ? place : place.parent_path();
  const bool writable = ::access(directory.c_str(), W_OK) == 0 && (is_directory || ::access(place.c_str(), W_OK) == 0);
  return writable ? FilesystemKind::local : FilesystemKind::read_only;
}

}  // namespace attentune
