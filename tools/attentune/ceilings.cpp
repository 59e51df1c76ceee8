#include "tools/attentune/ceilings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "generator/error.h"
#include "generator/host_target.h"
#include "generator/source.h"
#include "tuner/sampler.h"

namespace attentune {
namespace {

// Twelve chains cover the latency (4) times the ports (2) of every x86-64 core and leave registers of AVX2's sixteen
// for the two factors.
constexpr int chains = 12;
constexpr int loads = 8;
constexpr int rounds = 7;

constexpr const char* fma_entry = "attentune_fma";
constexpr const char* read_entry = "attentune_read";

int vector_floats(const Arch& arch) { return vector_bits(arch) / 32; }

// void attentune_fma(ptr data, i64 n): data holds the chains' starts, then factor and addend; n rounds.
// fmuladd is a fused instruction where there is one and a multiplication and an addition elsewhere.
std::string fma_text(int width) {
  const std::string type = fmt::format("<{} x float>", width);
  std::string text = fmt::format("declare {0} @llvm.fmuladd.v{1}f32({0}, {0}, {0})\n", type, width);
  text += "define void @attentune_fma(ptr %data, i64 %n) #0 {\nentry:\n";
  for (int k = 0; k < chains + 2; ++k)
    text += fmt::format("  %p{0} = getelementptr {1}, ptr %data, i64 {0}\n  %s{0} = load {1}, ptr %p{0}, align 64\n", k,
                        type);
  text += "  br label %loop\nloop:\n  %i = phi i64 [ 0, %entry ], [ %next, %loop ]\n";
  for (int k = 0; k < chains; ++k)
    text += fmt::format("  %a{0} = phi {1} [ %s{0}, %entry ], [ %b{0}, %loop ]\n", k, type);
  for (int k = 0; k < chains; ++k)
    text += fmt::format("  %b{0} = call {1} @llvm.fmuladd.v{2}f32({1} %a{0}, {1} %s{3}, {1} %s{4})\n", k, type, width,
                        chains, chains + 1);
  text += "  %next = add i64 %i, 1\n  %more = icmp slt i64 %next, %n\n  br i1 %more, label %loop, label %done\ndone:\n";
  for (int k = 0; k < chains; ++k)
    text += fmt::format("  store {} %b{}, ptr %p{}, align 64\n", type, k, k);
  return text + "  ret void\n}\n";
}

// i32 attentune_read(ptr data, i64 n): n groups of `loads` vectors.
std::string read_text(int width) {
  const std::string type = fmt::format("<{} x i32>", width);
  std::string text =
      "define void @attentune_read(ptr %data, i64 %n, ptr %sum) #0 {\n"
      "entry:\n  br label %loop\nloop:\n  %i = phi i64 [ 0, %entry ], [ %next, %loop ]\n";
  for (int k = 0; k < loads; ++k)
    text += fmt::format("  %a{0} = phi {1} [ zeroinitializer, %entry ], [ %b{0}, %loop ]\n", k, type);
  text += fmt::format("  %base = mul i64 %i, {}\n", loads);
  for (int k = 0; k < loads; ++k)
    text += fmt::format(
        "  %o{0} = add i64 %base, {0}\n  %p{0} = getelementptr {1}, ptr %data, i64 %o{0}\n"
        "  %l{0} = load {1}, ptr %p{0}, align 64\n  %b{0} = add {1} %a{0}, %l{0}\n",
        k, type);
  text += "  %next = add i64 %i, 1\n  %more = icmp slt i64 %next, %n\n  br i1 %more, label %loop, label %done\ndone:\n";
  for (int k = 1; k < loads; ++k)
    text += fmt::format("  %t{0} = add {1} {2}, %b{0}\n", k, type, k == 1 ? "%b0" : fmt::format("%t{}", k - 1));
  return text + fmt::format("  store {} %t{}, ptr %sum, align 64\n  ret void\n}}\n", type, loads - 1);
}

using FmaEntry = void (*)(float* data, std::int64_t n);
using ReadEntry = void (*)(const std::uint8_t* data, std::int64_t n, std::uint8_t* sum);

struct alignas(64) Line {
  std::uint8_t bytes[64] = {};
};

// Work a second of `work` units a call: the best of a few rounds, since a ceiling is what undisturbed hardware does.
template <typename Call>
double best_rate(double work, const Call& call) {
  call();
  double best = 0;
  for (int round = 0; round < rounds; ++round) {
    const double begin = monotonic_ms();
    call();
    best = std::max(best, work / ((monotonic_ms() - begin) * 1e-3));
  }
  return best;
}

struct FmaTask {
  FmaEntry entry;
  std::int64_t iterations;
  int width;
};

void run_fma(void* context, int, std::int64_t begin, std::int64_t end) {
  const auto& task = *static_cast<const FmaTask*>(context);
  alignas(64) float data[(chains + 2) * 16];
  std::fill(std::begin(data), std::end(data), 1.0F);
  // Near a fixed point, so that nothing becomes denormal or infinite.
  std::fill(data + chains * task.width, data + (chains + 1) * task.width, 0.5F);
  for (std::int64_t n = begin; n < end; ++n)
    task.entry(data, task.iterations);
}

// Every worker has its own share of the working set, as a kernel's workers have.
struct SweepTask {
  ReadEntry entry;  // nullptr: copy
  Line* data;
  std::int64_t share_lines;
  std::int64_t groups;  // ReadEntry's n for one share
};

void run_sweep(void* context, int worker, std::int64_t begin, std::int64_t end) {
  const auto& task = *static_cast<const SweepTask*>(context);
  Line* const mine = task.data + worker * task.share_lines;
  const std::int64_t half = task.share_lines / 2;
  Line sum;
  for (std::int64_t n = begin; n < end; ++n) {
    if (task.entry != nullptr)
      task.entry(mine->bytes, task.groups, sum.bytes);
    else
      std::memcpy(n % 2 == 0 ? mine : mine + half, n % 2 == 0 ? mine + half : mine,
                  static_cast<std::size_t>(half) * 64);
  }
}

double sweep(Executor& executor, ReadEntry entry, double working_set_bytes, int width) {
  const std::int64_t group_lines = std::max(1, loads * width * 4 / 64);
  const double clamped = std::clamp(working_set_bytes, 65536.0, 0x1p29);
  const std::int64_t workers = executor.workers();
  const auto wanted = static_cast<std::int64_t>(clamped) / 64 / workers;
  const std::int64_t share = std::max<std::int64_t>(2, wanted / (2 * group_lines)) * 2 * group_lines;
  std::vector<Line> data(static_cast<std::size_t>(share * workers));
  SweepTask task{.entry = entry, .data = data.data(), .share_lines = share, .groups = share / group_lines};
  // At least 64 MiB a round, so that a round outlasts the start of the threads.
  const double bytes_a_pass = static_cast<double>(share * workers) * 64;
  const auto passes = static_cast<std::int64_t>(std::max(1.0, 0x1p26 / bytes_a_pass)) * workers;
  const double moved = bytes_a_pass * static_cast<double>(passes) / static_cast<double>(workers);
  return best_rate(moved, [&] { executor.parallel_for(passes, 1, run_sweep, &task); });
}

}  // namespace

Ceilings::Ceilings(const Arch& arch, int threads) : executor_(make_pool(threads)), vector_floats_(vector_floats(arch)) {
  const HostTarget* const target = host_target(arch.machine);
  if (target == nullptr)
    throw Error(Status::device_failed, "ceilings are measured on hosts only; use --device host");
  Source source;
  source.text =
      fmt::format("target datalayout = \"{}\"\ntarget triple = \"{}\"\n{}{}attributes #0 = {{ nounwind {} }}\n",
                  target->data_layout, target->triple, fma_text(vector_floats_), read_text(vector_floats_),
                  target_attributes(arch, vector_bits(arch)));
  for (const char* entry : {fma_entry, read_entry}) {
    LaunchRule rule;
    rule.entry = entry;
    source.launches.push_back(rule);
  }
  code_ = llvm_backend::load(llvm_backend::compile(source, arch).object);
}

Ceilings::~Ceilings() = default;

double Ceilings::multiply_add() const {
  FmaTask task{
      .entry = reinterpret_cast<FmaEntry>(code_->entry(fma_entry)), .iterations = 20000, .width = vector_floats_};
  const std::int64_t tasks = std::int64_t{64} * executor_->workers();
  const double flops = 2.0 * chains * vector_floats_ * static_cast<double>(task.iterations * tasks);
  return best_rate(flops, [&] { executor_->parallel_for(tasks, 1, run_fma, &task); });
}

double Ceilings::read(double working_set_bytes) const {
  return sweep(*executor_, reinterpret_cast<ReadEntry>(code_->entry(read_entry)), working_set_bytes, vector_floats_);
}

double Ceilings::copy(double working_set_bytes) const {
  return sweep(*executor_, nullptr, working_set_bytes, vector_floats_);
}

double roofline(double flops, double bytes, double multiply_add, double read_rate) noexcept {
  if (flops <= 0 || multiply_add <= 0 || read_rate <= 0)
    return 0;
  return flops / std::max(flops / multiply_add, bytes / read_rate);
}

}  // namespace attentune
