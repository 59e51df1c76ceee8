// One core, no Store, no tuner: what forward_host reaches of the FMA ceiling measured in the same run.
//
//   bench_micro                         the default problems with their default Configs
//   bench_micro PROBLEM [CONFIG...]     one problem; CONFIG as `attentune space` prints it, or "cost" for the
//                                       ten points of lowest predicted cost
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "generator/error.h"
#include "generator/forward_host.h"
#include "generator/host_target.h"
#include "runtime/llvm/compiler.h"
#include "templates/attention_args.h"
#include "templates/launch.h"

using namespace attentune;

namespace {

// Of this thread on a core: what other processes take away does not count.
double seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Independent chains of FMAs on as many registers as hide the latency, compiled by the same compiler for the same Arch.
class Ceiling {
 public:
  explicit Ceiling(const Arch& arch) {
    const int bits = vector_bits(arch);
    lanes_ = bits / 32;
    const std::string type = fmt::format("<{} x float>", lanes_);
    const HostTarget& target = *host_target(arch.machine);
    Source source;
    source.text =
        fmt::format("target datalayout = \"{}\"\ntarget triple = \"{}\"\ndeclare {} @llvm.fmuladd({}, {}, {})\n",
                    target.data_layout, target.triple, type, type, type, type);
    const auto intrinsic = fmt::format("@llvm.fmuladd.v{}f32", lanes_);
    source.text.replace(source.text.find("@llvm.fmuladd"), 13, intrinsic);
    source.text += fmt::format("define void @ceiling(ptr %p, i64 %b, i64 %n) nounwind {} {{\nentry:\n",
                               target_attributes(arch, bits));
    source.text += fmt::format(
        "  %x = load {0}, ptr %p, align 4\n  %q = getelementptr i8, ptr %p, i64 64\n  %y = load {0}, ptr %q, align 4\n",
        type);
    source.text += "  br label %loop\nloop:\n  %i = phi i64 [ %b, %entry ], [ %i1, %loop ]\n";
    for (int c = 0; c < chains; ++c)
      source.text += fmt::format("  %a{0} = phi {1} [ %x, %entry ], [ %c{0}, %loop ]\n", c, type);
    for (int c = 0; c < chains; ++c) {
      // Each chain multiplies by another factor, or the chains would be one.
      source.text += fmt::format("  %c{0} = call {1} {2}({1} %a{0}, {1} %y, {1} %{3})\n", c, type, intrinsic,
                                 c == 0 ? std::string("x") : fmt::format("k{}", c));
    }
    std::string constants;
    for (int c = 1; c < chains; ++c) {
      constants += fmt::format("  %g{0} = getelementptr i8, ptr %p, i64 {1}\n  %k{0} = load {2}, ptr %g{0}, align 4\n",
                               c, 64 * (c % 2) + 4 * c, type);
    }
    source.text.insert(source.text.find("  br label %loop"), constants);
    source.text +=
        "  %i1 = add i64 %i, 1\n  %end = icmp eq i64 %i1, %n\n  br i1 %end, label %exit, label %loop\nexit:\n";
    for (int c = 0; c < chains; ++c)
      source.text += fmt::format("  store volatile {0} %c{1}, ptr %p, align 4\n", type, c);
    source.text += "  ret void\n}\n";
    source.launches.push_back({.entry = "ceiling"});
    object_ = llvm_backend::load(llvm_backend::compile(source, arch).object);
    run_ = reinterpret_cast<void (*)(float*, std::int64_t, std::int64_t)>(object_->entry("ceiling"));
  }

  // GFLOP/s of one run of about a millisecond.
  double measure() {
    constexpr std::int64_t steps = 500'000;
    const double begin = seconds();
    run_(memory_.data(), 0, steps);
    return 2.0 * chains * lanes_ * static_cast<double>(steps) / (seconds() - begin) / 1e9;
  }

 private:
  static constexpr int chains = 10;
  int lanes_ = 4;
  std::vector<float> memory_ = std::vector<float>(256, 0.5F);
  std::unique_ptr<llvm_backend::LoadedObject> object_;
  void (*run_)(float*, std::int64_t, std::int64_t) = nullptr;
};

struct Operands {
  std::vector<std::uint8_t> q, k, v, out, workspace;
  std::vector<float> lse, sink;
  AttentionArgs args{};

  explicit Operands(const Problem& p) {
    const auto make = [](std::vector<std::uint8_t>& bytes, Dtype dtype, std::int64_t elements) {
      bytes.assign(static_cast<std::size_t>(elements) * size_of(dtype) + 64, 0);
      // Numbers of about 1 in every dtype: the exponent of one half, a changing mantissa.
      for (std::size_t i = 0; i < static_cast<std::size_t>(elements); ++i) {
        std::uint8_t* const last = bytes.data() + (i + 1) * size_of(dtype);
        last[-1] = (i * 2654435761U >> 13) % 2 == 0 ? 0x3f : 0xbf;
        if (dtype == Dtype::f16)
          last[-1] = static_cast<std::uint8_t>(last[-1] & 0xb9U);
        last[-2] = static_cast<std::uint8_t>(i * 40503U >> 7);
      }
      return static_cast<void*>(bytes.data());
    };
    args.q = make(q, p.q, p.batch * p.len_q * p.heads_q * p.head_dim_qk);
    args.k = make(k, p.k, p.batch * p.len_kv * p.heads_kv * p.head_dim_qk);
    args.v = make(v, p.v, p.batch * p.len_kv * p.heads_kv * p.head_dim_v);
    args.out = make(out, p.out, p.batch * p.len_q * p.heads_q * p.head_dim_v);
    lse.resize(static_cast<std::size_t>(p.batch * p.heads_q * p.len_q));
    sink.resize(static_cast<std::size_t>(p.heads_q));
    args.lse = lse.data();
    args.sink_logit = sink.data();
    const auto strides = [](std::int64_t* stride, std::int64_t len, std::int64_t heads, std::int64_t d) {
      stride[0] = len * heads * d;
      stride[1] = heads * d;
      stride[2] = d;
    };
    strides(args.q_stride, p.len_q, p.heads_q, p.head_dim_qk);
    strides(args.k_stride, p.len_kv, p.heads_kv, p.head_dim_qk);
    strides(args.v_stride, p.len_kv, p.heads_kv, p.head_dim_v);
    strides(args.out_stride, p.len_q, p.heads_q, p.head_dim_v);
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
};

// Prepares as the runtime does, with one worker; runs all launches in order on this thread.
class Prepared {
 public:
  Prepared(const Problem& p, const Source& source, const Config& config, const Arch& arch, Operands& operands)
      : binary_(llvm_backend::compile(source, arch)), object_(llvm_backend::load(binary_.object)) {
    std::vector<AttentuneScalar> scalars{
        {"batch", p.batch}, {"heads_q", p.heads_q}, {"heads_kv", p.heads_kv},       {"group", p.group()},
        {"len_q", p.len_q}, {"len_kv", p.len_kv},   {"head_dim_qk", p.head_dim_qk}, {"head_dim_v", p.head_dim_v},
        {"workers", 1}};
    int next = 0;
    for (const Choice& choice : config.choices()) {
      if (choice.kind == ChoiceKind::launch) {
        operands.args.launch_choices[next] = config.integer(choice.name);
        scalars.push_back({choice.name.c_str(), operands.args.launch_choices[next++]});
      }
    }
    const auto evaluate = [&](const std::string& text) {
      std::int64_t value = 0;
      if (attentune_evaluate(text.c_str(), scalars.data(), static_cast<int>(scalars.size()), &value) != 0) {
        throw Error(Status::internal, "cannot evaluate " + text);
      }
      return value;
    };
    for (const LaunchRule& rule : source.launches) {
      AttentionArgs args = operands.args;
      int slot = 0;
      for (const WorkspaceSlice& slice : rule.workspace) {
        std::vector<std::uint8_t>& memory = slices_[slice.name];
        memory.resize(static_cast<std::size_t>(evaluate(slice.bytes)) + 64);
        const auto past_boundary = reinterpret_cast<std::uintptr_t>(memory.data()) % 64;
        args.workspace[slot++] = memory.data() + (64 - past_boundary) % 64;
      }
      steps_.push_back(
          {reinterpret_cast<AttentuneHostEntry>(object_->entry(rule.entry)), args, evaluate(rule.grid[0])});
    }
  }
  double run() {
    const double begin = seconds();
    for (const Step& step : steps_)
      step.entry(&step.args, 0, step.tasks);
    return seconds() - begin;
  }
  [[nodiscard]] double compile_ms() const { return binary_.compile_ms; }

 private:
  struct Step {
    AttentuneHostEntry entry;
    AttentionArgs args;
    std::int64_t tasks;
  };
  Binary binary_;
  std::unique_ptr<llvm_backend::LoadedObject> object_;
  std::map<std::string, std::vector<std::uint8_t>> slices_;  // by name: launches share them
  std::vector<Step> steps_;
};

void bench(const std::string& text, const std::vector<std::string>& wanted, const Arch& arch, Ceiling& ceiling) {
  const ForwardHost family;
  const Problem problem = parse_problem(text);
  Operands operands(problem);
  std::vector<Config> configs;
  if (wanted.empty())
    configs.push_back(family.default_config(problem, arch));
  for (const std::string& word : wanted) {
    if (word != "cost") {
      configs.push_back(parse_config(word));
      continue;
    }
    std::vector<std::pair<double, Config>> ranked;
    family.space(problem, arch).for_each([&](const Config& config) {
      if (config.word("grain") == "1" && config.word("split") == "1")
        ranked.emplace_back(family.resources(problem, arch, config).cost, config);
      return true;
    });
    std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (std::size_t n = 0; n < std::min<std::size_t>(10, ranked.size()); ++n)
      configs.push_back(ranked[n].second);
  }
  std::printf("%s\n", text.c_str());
  for (const Config& config : configs) {
    Prepared prepared(problem, family.render(problem, arch, config), config, arch, operands);
    double best = prepared.run();
    std::vector<double> shares;
    // Ceiling and kernel take turns, so that both see the same clock and the same neighbours; the median of their
    // ratios is what stays when both change from one millisecond to the next.
    const double begin = seconds();
    double before = ceiling.measure();
    for (int n = 0; n < 200 && (n < 5 || seconds() - begin < 1.0); ++n) {
      const double time = prepared.run();
      const double after = ceiling.measure();
      shares.push_back(flops(problem) / time / 1e9 / std::max(before, after));
      best = std::min(best, time);
      before = after;
    }
    std::sort(shares.begin(), shares.end());
    std::printf("  %-84s %8.3f ms %7.1f GFLOP/s  %5.1f %% of the ceiling (median of %zu; 90th percentile %.1f %%)  "
                "compiled in %.0f ms\n",
                to_text(config).c_str(), best * 1e3, flops(problem) / best / 1e9, 100 * shares[shares.size() / 2],
                shares.size(), 100 * shares[shares.size() * 9 / 10], prepared.compile_ms());
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Arch arch = llvm_backend::host_arch();
    Ceiling ceiling(arch);
    std::printf("%s, one core; ceiling = f32 FMA loop of the same run\n", short_name(arch).c_str());
    if (argc > 1) {
      bench(argv[1], {argv + 2, argv + argc}, arch, ceiling);
      return 0;
    }
    for (const char* text :
         {"dtype=f32 heads=1 head_dim=128 seq=2048", "dtype=bf16 heads=1 head_dim=128 seq=2048",
          "dtype=f16 heads=1 head_dim=128 seq=2048", "dtype=bf16 heads=4/1 head_dim=128 seq=2048 mask=causal()",
          "dtype=f32 heads=1 head_dim=64 seq=2048", "dtype=bf16 heads=1 head_dim=256 seq=1024",
          "dtype=bf16 heads=1 head_dim=128 seq=2048 score=softcap(30)", "dtype=bf16 heads=4/1 head_dim=128 seq=1/4096",
          "dtype=f16 heads=8 head_dim=40 seq=1024/77"}) {
      bench(text, {}, arch, ceiling);
    }
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
