// Arch: a compile target. GPUs come from one table with limits and peak rates; a host CPU is LLVM's name and features.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace attentune {

// One row of the GPU table (DESIGN section 1). Sizes in bytes.
struct GpuArch {
  int major = 0;
  int minor = 0;
  std::string_view target;            // "sm_90a"
  std::int64_t shared_per_block = 0;  // opt-in maximum
  std::int64_t shared_per_sm = 0;
  int registers_per_sm = 65536;
  int max_warps_per_sm = 0;
  bool native_fp8 = false;  // matrix instructions on e4m3/e5m2
  bool wgmma = false;
  // For predictions that order Configs, never for results. Rates are a clock and SM.
  int multiprocessors = 0;                  // of the most common part
  int matrix_flops = 0;                     // mma.sync on 16-bit operands with f32 sums, a multiply-add counted twice
  int fma_lanes = 0;                        // f32
  static constexpr int exp_lanes = 16;      // ex2
  static constexpr int shared_bytes = 128;  // read or written
};
[[nodiscard]] const std::vector<GpuArch>& gpu_arch_table();

struct Arch {
  enum class Kind : std::uint8_t { host, gpu };
  Kind kind = Kind::host;
  std::string name;                   // "sm_90a", or LLVM's CPU name: "znver4"
  std::string machine;                // host: "x86_64" or "aarch64"; gpu: ""
  std::vector<std::string> features;  // host: every enabled LLVM feature, sorted, without '+'

  bool operator==(const Arch&) const = default;
  [[nodiscard]] bool is_host() const noexcept { return kind == Kind::host; }
  // Host only: is this LLVM feature enabled ("avx512f")?
  [[nodiscard]] bool has(std::string_view feature) const noexcept;
};

// "sm_90a" or "host:x86_64:znver4:adx,aes,avx,...": whole and unambiguous, used in keys.
[[nodiscard]] std::string to_text(const Arch& arch);
// For people: "sm_90a", "znver4".
[[nodiscard]] std::string short_name(const Arch& arch);
// The row of a GPU Arch (the first where several share a target); throws RefusalError for others.
[[nodiscard]] const GpuArch& limits_of(const Arch& arch);
// Compute capability to Arch; throws RefusalError naming the supported list for others.
[[nodiscard]] Arch gpu_arch(int major, int minor);
// "sm_90a" (or "sm_90", which names the same row) to Arch; throws RefusalError.
[[nodiscard]] Arch gpu_arch(std::string_view target);
// Every GPU Arch, in the table's order: a target that serves several compute capabilities once.
[[nodiscard]] std::vector<Arch> gpu_archs();
// The inverse of to_text, for both kinds; throws RefusalError.
[[nodiscard]] Arch parse_arch(std::string_view text);

}  // namespace attentune
