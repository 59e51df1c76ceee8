// Where a Store would stand: SQLite's locks and shared memory are only safe on a local file system.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace attentune {

enum class FilesystemKind : std::uint8_t {
  local,
  network,    // NFS, SMB, Lustre, GPFS, Ceph, ... and FUSE, which may be anything
  read_only,  // mounted read-only, or the directory or file may not be written by this user
};

using FilesystemProbe = std::function<FilesystemKind(const std::string& path)>;

// Of the file at path, or of its nearest existing parent directory when there is none yet. Two system calls.
[[nodiscard]] FilesystemKind filesystem_kind(const std::string& path);

}  // namespace attentune
