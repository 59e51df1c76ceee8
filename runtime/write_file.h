// Output files: whole or not at all.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace attentune {

// Puts bytes where `path` leads. A regular file, or none yet, is replaced at once, where it really stands (links are
// followed), by a file of the same mode: a half-written one never takes the place of a whole one. Anything else that
// can be written, such as a device or a pipe, is written into and stays what it is.
// Throws Error: misuse when the path names nothing that can be written, device_failed when the disk is full.
void write_file(const std::string& path, std::span<const std::byte> bytes);

// Throws what write_file would throw before the first byte, to be told before long work. Leaves everything as it is.
void require_writable(const std::string& path);

}  // namespace attentune
