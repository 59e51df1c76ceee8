// What the benchmarks of forward_host share: a call prepared as the runtime does, the multiply-add ceiling, a sweep
// that only reads, and ratios of things that take turns.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "generator/error.h"
#include "generator/forward_host.h"
#include "generator/host_target.h"
#include "runtime/executor.h"
#include "runtime/llvm/compiler.h"
#include "templates/attention_args.h"
#include "templates/launch.h"

namespace attentune::bench {

// One thread: its own time on a core, so that what other processes take away does not count. Several: time on the wall.
class Clock {
 public:
  explicit Clock(int threads) : id_(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC) {}
  [[nodiscard]] double seconds() const {
    timespec now{};
    clock_gettime(id_, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
  }
  [[nodiscard]] double time(const std::function<void()>& work) const {
    const double begin = seconds();
    work();
    return seconds() - begin;
  }

 private:
  clockid_t id_;
};

// Independent chains of FMAs on as many registers as hide the latency, compiled by the same compiler for the same Arch.
class Ceiling {
 public:
  explicit Ceiling(const Arch& arch, Executor& executor) : executor_(executor), lanes_(vector_bits(arch) / 32) {
    object_ = llvm_backend::load(llvm_backend::compile(source(arch), arch).object);
    run_ = reinterpret_cast<Entry>(object_->entry("ceiling"));
  }

  // Does about a millisecond of work on every worker.
  void run() {
    executor_.parallel_for(
        executor_.workers(), 1,
        [](void* context, int, std::int64_t, std::int64_t) {
          alignas(64) float memory[256];
          std::fill(std::begin(memory), std::end(memory), 0.5F);
          static_cast<const Ceiling*>(context)->run_(memory, 0, steps);
        },
        this);
  }
  [[nodiscard]] double flops() const {
    return 2.0 * chains * lanes_ * static_cast<double>(steps) * executor_.workers();
  }

 private:
  using Entry = void (*)(float*, std::int64_t, std::int64_t);
  static constexpr int chains = 10;
  static constexpr std::int64_t steps = 500'000;

  [[nodiscard]] Source source(const Arch& arch) const {
    const std::string type = fmt::format("<{} x float>", lanes_);
    const std::string intrinsic = fmt::format("@llvm.fmuladd.v{}f32", lanes_);
    const HostTarget& target = *host_target(arch.machine);
    std::string text = fmt::format(
        "target datalayout = \"{}\"\ntarget triple = \"{}\"\ndeclare {} {}({}, {}, {})\n"
        "define void @ceiling(ptr %p, i64 %b, i64 %n) nounwind {} {{\nentry:\n",
        target.data_layout, target.triple, type, intrinsic, type, type, type,
        target_attributes(arch, vector_bits(arch)));
    // Each chain adds another number, or the chains would be one.
    for (int c = 0; c <= chains; ++c) {
      text += fmt::format("  %g{0} = getelementptr i8, ptr %p, i64 {1}\n  %k{0} = load {2}, ptr %g{0}, align 4\n", c,
                          64 * (c % 2) + 4 * c, type);
    }
    text += "  br label %loop\nloop:\n  %i = phi i64 [ %b, %entry ], [ %i1, %loop ]\n";
    for (int c = 0; c < chains; ++c)
      text += fmt::format("  %a{0} = phi {1} [ %k0, %entry ], [ %c{0}, %loop ]\n", c, type);
    for (int c = 0; c < chains; ++c)
      text += fmt::format("  %c{0} = call {1} {2}({1} %a{0}, {1} %k{3}, {1} %k{0})\n", c, type, intrinsic, chains);
    text += "  %i1 = add i64 %i, 1\n  %end = icmp eq i64 %i1, %n\n  br i1 %end, label %exit, label %loop\nexit:\n";
    for (int c = 0; c < chains; ++c)
      text += fmt::format("  store volatile {0} %c{1}, ptr %p, align 4\n", type, c);
    Source result;
    result.text = text + "  ret void\n}\n";
    result.launches.push_back({.entry = "ceiling"});
    return result;
  }

  Executor& executor_;
  int lanes_;
  std::unique_ptr<llvm_backend::LoadedObject> object_;
  Entry run_ = nullptr;
};

struct Operands {
  std::vector<std::uint8_t> q, k, v, out;
  std::vector<float> lse, sink;
  AttentionArgs args{};

  explicit Operands(const Problem& p) {
    args.q = make(q, p.q, p.batch * p.len_q * p.heads_q * p.head_dim_qk);
    args.k = make(k, p.k, p.batch * p.len_kv * p.heads_kv * p.head_dim_qk);
    args.v = make(v, p.v, p.batch * p.len_kv * p.heads_kv * p.head_dim_v);
    args.out = make(out, p.out, p.batch * p.len_q * p.heads_q * p.head_dim_v);
    lse.resize(static_cast<std::size_t>(p.batch * p.heads_q * p.len_q));
    sink.resize(static_cast<std::size_t>(p.heads_q));
    args.lse = lse.data();
    args.sink_logit = sink.data();
    set_strides(args.q_stride, p.len_q, p.heads_q, p.head_dim_qk);
    set_strides(args.k_stride, p.len_kv, p.heads_kv, p.head_dim_qk);
    set_strides(args.v_stride, p.len_kv, p.heads_kv, p.head_dim_v);
    set_strides(args.out_stride, p.len_q, p.heads_q, p.head_dim_v);
    args.lse_stride[0] = p.heads_q * p.len_q;
    args.lse_stride[1] = p.len_q;
    args.lse_stride[2] = 1;
    args.batch = p.batch;
    args.heads_q = p.heads_q;
    args.heads_kv = p.heads_kv;
    args.len_q = p.len_q;
    args.len_kv = p.len_kv;
    for (std::size_t n = 0; n < p.mask.arguments.size(); ++n)
      args.mask_arguments[n] = p.mask.arguments[n];
    args.scale = static_cast<float>(p.effective_scale());
  }

 private:
  // Numbers of about 1 in every dtype: the exponent of one half, a changing mantissa; from a cache line's beginning on,
  // as frameworks allocate.
  static void* make(std::vector<std::uint8_t>& bytes, Dtype dtype, std::int64_t elements) {
    bytes.assign(static_cast<std::size_t>(elements) * size_of(dtype) + 64, 0);
    std::uint8_t* const begin = bytes.data() + (64 - reinterpret_cast<std::uintptr_t>(bytes.data()) % 64) % 64;
    for (std::size_t i = 0; i < static_cast<std::size_t>(elements); ++i) {
      std::uint8_t* const last = begin + (i + 1) * size_of(dtype);
      last[-1] = (i * 2654435761U >> 13) % 2 == 0 ? 0x3f : 0xbf;
      if (dtype == Dtype::f16)
        last[-1] = static_cast<std::uint8_t>(last[-1] & 0xb9U);
      last[-2] = static_cast<std::uint8_t>(i * 40503U >> 7);
    }
    return begin;
  }
  static void set_strides(std::int64_t* stride, std::int64_t len, std::int64_t heads, std::int64_t d) {
    stride[0] = len * heads * d;
    stride[1] = heads * d;
    stride[2] = d;
  }
};

// One call, prepared as the runtime does.
class Call {
 public:
  Call(const Problem& problem, const Config& config, const Arch& arch, Executor& executor)
      : executor_(executor),
        operands_(problem),
        source_(ForwardHost().render(problem, arch, config)),
        binary_(llvm_backend::compile(source_, arch)),
        object_(llvm_backend::load(binary_.object)) {
    std::vector<AttentuneScalar> scalars{{"batch", problem.batch},
                                         {"heads_q", problem.heads_q},
                                         {"heads_kv", problem.heads_kv},
                                         {"group", problem.group()},
                                         {"len_q", problem.len_q},
                                         {"len_kv", problem.len_kv},
                                         {"head_dim_qk", problem.head_dim_qk},
                                         {"head_dim_v", problem.head_dim_v},
                                         {"workers", executor.workers()}};
    int next = 0;
    for (const Choice& choice : config.choices()) {
      if (choice.kind == ChoiceKind::launch) {
        operands_.args.launch_choices[next] = config.integer(choice.name);
        scalars.push_back({choice.name.c_str(), operands_.args.launch_choices[next++]});
      }
    }
    for (const LaunchRule& rule : source_.launches)
      add_step(rule, scalars);
  }

  void run() {
    for (const Step& step : steps_) {
      if (step.tasks > 0) {
        executor_.parallel_for(
            step.tasks, step.grain,
            [](void* context, int worker, std::int64_t begin, std::int64_t end) {
              const Step& each = *static_cast<const Step*>(context);
              each.entry(&each.args[static_cast<std::size_t>(worker)], begin, end);
            },
            const_cast<Step*>(&step));
      }
    }
  }
  [[nodiscard]] double compile_ms() const { return binary_.compile_ms; }
  [[nodiscard]] const Operands& operands() const { return operands_; }

 private:
  struct Step {
    AttentuneHostEntry entry;
    std::vector<AttentionArgs> args;  // a worker each
    std::int64_t tasks;
    std::int64_t grain;
  };

  static std::int64_t evaluate(const std::string& text, const std::vector<AttentuneScalar>& scalars) {
    std::int64_t value = 0;
    if (attentune_evaluate(text.c_str(), scalars.data(), static_cast<int>(scalars.size()), &value) != 0)
      throw Error(Status::internal, "cannot evaluate " + text);
    return value;
  }

  void add_step(const LaunchRule& rule, const std::vector<AttentuneScalar>& scalars) {
    const auto workers = static_cast<std::size_t>(executor_.workers());
    Step step{.entry = reinterpret_cast<AttentuneHostEntry>(object_->entry(rule.entry)),
              .args = std::vector<AttentionArgs>(workers, operands_.args),
              .tasks = evaluate(rule.grid[0], scalars),
              .grain = evaluate(rule.block[0], scalars)};
    std::size_t slot = 0;
    for (const WorkspaceSlice& slice : rule.workspace) {
      const auto stride = static_cast<std::size_t>((evaluate(slice.bytes, scalars) + 63) / 64 * 64);
      std::vector<std::uint8_t>& memory = slices_[slice.name];  // by name: launches share them
      memory.resize(stride * (slice.per_worker ? workers : 1) + 64);
      const auto past_boundary = reinterpret_cast<std::uintptr_t>(memory.data()) % 64;
      for (std::size_t worker = 0; worker < workers; ++worker) {
        step.args[worker].workspace[slot] =
            memory.data() + (64 - past_boundary) % 64 + (slice.per_worker ? worker * stride : 0);
      }
      ++slot;
    }
    steps_.push_back(std::move(step));
  }

  Executor& executor_;
  Operands operands_;
  Source source_;
  Binary binary_;
  std::unique_ptr<llvm_backend::LoadedObject> object_;
  std::map<std::string, std::vector<std::uint8_t>> slices_;
  std::vector<Step> steps_;
};

// Reads every byte of K and V once, 256 KiB a task.
class Sweep {
 public:
  Sweep(const Operands& operands, Executor& executor) : executor_(executor), buffers_{&operands.k, &operands.v} {}

  void run() {
    for (const std::vector<std::uint8_t>* buffer : buffers_) {
      current_ = buffer;
      executor_.parallel_for(
          static_cast<std::int64_t>(buffer->size() / piece), 1,
          [](void* context, int, std::int64_t begin, std::int64_t end) {
            auto& sweep = *static_cast<Sweep*>(context);
            for (std::int64_t n = begin; n < end; ++n)
              read(sweep.current_->data() + static_cast<std::size_t>(n) * piece);
          },
          this);
    }
  }

 private:
  static constexpr std::size_t piece = std::size_t{256} << 10;
  using Vector = std::uint64_t __attribute__((vector_size(32), aligned(1), may_alias));

  static void read(const std::uint8_t* from) {
    Vector sum[4] = {};
    for (std::size_t i = 0; i < piece; i += sizeof sum) {
      for (std::size_t n = 0; n < 4; ++n)
        sum[n] ^= *reinterpret_cast<const Vector*>(from + i + n * sizeof(Vector));
    }
    const Vector all = sum[0] ^ sum[1] ^ sum[2] ^ sum[3];
    volatile std::uint64_t sink = all[0] ^ all[1] ^ all[2] ^ all[3];
    (void)sink;
  }

  Executor& executor_;
  std::vector<const std::vector<std::uint8_t>*> buffers_;
  const std::vector<std::uint8_t>* current_ = nullptr;
};

struct Ratio {
  double median = 0;     // of b's time over a's
  double upper = 0;      // the 90th percentile
  double best_time = 0;  // of a, in seconds
};

// a and b take turns, so that both see the same clock and the same neighbours: what stays, when both change from one
// millisecond to the next, is the median of their ratios. b counts as the faster of its runs before and after a.
inline Ratio ratio_of(const Clock& clock, const std::function<void()>& a, const std::function<void()>& b,
                      double budget_seconds) {
  a();
  b();
  std::vector<double> ratios;
  Ratio result{.best_time = 1e30};
  const Clock wall(2);
  const double begin = wall.seconds();
  double before = clock.time(b);
  while (ratios.size() < 5 || (ratios.size() < 400 && wall.seconds() - begin < budget_seconds)) {
    const double time = clock.time(a);
    const double after = clock.time(b);
    ratios.push_back(std::min(before, after) / time);
    result.best_time = std::min(result.best_time, time);
    before = after;
  }
  std::sort(ratios.begin(), ratios.end());
  result.median = ratios[ratios.size() / 2];
  result.upper = ratios[ratios.size() * 9 / 10];
  return result;
}

}  // namespace attentune::bench
