#include "generator/workloads.h"

#include <fmt/format.h>

namespace attentune {
namespace {

using Phases = Workload::Phases;

// Every number is from the model's published config.json (or paper, where named). A "sliding window W" is
// window(W-1,0). The scale is written only where it is not 1/sqrt(head_dim).
const std::vector<Workload>& table() {
  static const std::vector<Workload> rows{
      {"gpt-2", "", "dtype=f32 heads=12 head_dim=64 mask=causal()", Phases::both, 1024, 0,
       "openai-community/gpt2: n_head 12, n_embd 768, n_ctx 1024"},
      {"bert-large", "", "dtype=f32 heads=16 head_dim=64", Phases::prefill_only, 512, 0,
       "google-bert/bert-large-uncased: 16 heads, hidden 1024, 512 positions"},
      {"llama-3.1-8b", "", "dtype=bf16 heads=32/8 head_dim=128 mask=causal()", Phases::both, 4096, 0,
       "meta-llama/Llama-3.1-8B: 32 heads, 8 KV heads, head_dim 128"},
      {"llama-3.1-70b", "", "dtype=bf16 heads=64/8 head_dim=128 mask=causal()", Phases::both, 4096, 0,
       "meta-llama/Llama-3.1-70B: 64 heads, 8 KV heads, head_dim 128"},
      {"mistral-7b", "", "dtype=bf16 heads=32/8 head_dim=128 mask=causal()&window(4095,0)", Phases::both, 8192, 0,
       "mistralai/Mistral-7B-v0.1: 32 heads, 8 KV heads, sliding_window 4096"},
      // query_pre_attn_scalar is 256, so the scale is 1/16 = 1/sqrt(head_dim).
      {"gemma-2-9b", "local", "dtype=bf16 heads=16/8 head_dim=256 mask=causal()&window(4095,0) score=softcap(50)",
       Phases::both, 8192, 0, "google/gemma-2-9b: even layers, sliding_window 4096, attn_logit_softcapping 50"},
      {"gemma-2-9b", "global", "dtype=bf16 heads=16/8 head_dim=256 mask=causal() score=softcap(50)", Phases::both, 8192,
       0, "google/gemma-2-9b: odd layers, attn_logit_softcapping 50"},
      // mup_use_scaling with mup_attn_multiplier 1 divides by head_dim, not by its root. Every second layer; the others
      // are block-sparse.
      {"phi-3-small", "dense", "dtype=bf16 heads=32/8 head_dim=128 mask=causal() scale=0.0078125", Phases::both, 8192,
       0, "microsoft/Phi-3-small-8k-instruct: 32 heads, 8 KV heads, mup_attn_multiplier 1"},
      {"qwen2.5-7b", "", "dtype=bf16 heads=28/4 head_dim=128 mask=causal()", Phases::both, 4096, 0,
       "Qwen/Qwen2.5-7B: 28 heads, 4 KV heads, hidden 3584"},
      // Both phases scale by 1/sqrt(128+64) times the YaRN factor (0.1 ln 40 + 1)^2.
      {"deepseek-v3", "mla", "dtype=bf16 heads=128 head_dim=192/128 mask=causal() scale=0.1352337788608801",
       Phases::prefill_only, 4096, 0, "deepseek-ai/DeepSeek-V3: qk_nope 128 + qk_rope 64, v_head_dim 128"},
      {"deepseek-v3", "mla-absorbed", "dtype=bf16 heads=128/1 head_dim=576/512 mask=causal() scale=0.1352337788608801",
       Phases::decode_only, 4096, 0, "deepseek-ai/DeepSeek-V3: kv_lora_rank 512 + qk_rope 64, absorbed projections"},
      {"gpt-oss", "local", "dtype=bf16 heads=64/8 head_dim=64 mask=causal()&window(127,0) sink_logit=yes", Phases::both,
       4096, 0, "openai/gpt-oss-20b and -120b: sliding_window 128 in every second layer, a sink a head"},
      {"gpt-oss", "global", "dtype=bf16 heads=64/8 head_dim=64 mask=causal() sink_logit=yes", Phases::both, 4096, 0,
       "openai/gpt-oss-20b and -120b: full attention layers, a sink a head"},
      {"vit-l", "224", "dtype=f32 heads=16 head_dim=64", Phases::prefill_only, 257, 0,
       "ViT-L/14: 16 heads, 224x224 in 16x16 patches of 14 and a class token"},
      {"vit-l", "384", "dtype=f32 heads=16 head_dim=64", Phases::prefill_only, 577, 0,
       "ViT-L/16: 16 heads, 384x384 in 24x24 patches of 16 and a class token"},
      // 8 heads at every resolution of a 64x64 latent; cross attention sees the 77 tokens of the prompt.
      {"stable-diffusion-1.5", "d40", "dtype=f16 heads=8 head_dim=40", Phases::prefill_only, 4096, 0,
       "stable-diffusion-v1-5: 320 channels, 64x64"},
      {"stable-diffusion-1.5", "d80", "dtype=f16 heads=8 head_dim=80", Phases::prefill_only, 1024, 0,
       "stable-diffusion-v1-5: 640 channels, 32x32"},
      {"stable-diffusion-1.5", "d160", "dtype=f16 heads=8 head_dim=160", Phases::prefill_only, 256, 0,
       "stable-diffusion-v1-5: 1280 channels, 16x16"},
      {"stable-diffusion-1.5", "d40-cross", "dtype=f16 heads=8 head_dim=40", Phases::prefill_only, 4096, 77,
       "stable-diffusion-v1-5: 320 channels, prompt of 77 tokens"},
      {"stable-diffusion-1.5", "d80-cross", "dtype=f16 heads=8 head_dim=80", Phases::prefill_only, 1024, 77,
       "stable-diffusion-v1-5: 640 channels, prompt of 77 tokens"},
      {"stable-diffusion-1.5", "d160-cross", "dtype=f16 heads=8 head_dim=160", Phases::prefill_only, 256, 77,
       "stable-diffusion-v1-5: 1280 channels, prompt of 77 tokens"},
  };
  return rows;
}

std::string full_name(const Workload& row) {
  return row.layer.empty() ? std::string(row.model) : fmt::format("{}.{}", row.model, row.layer);
}

std::string known_models() {
  std::string names;
  std::string_view last;
  for (const Workload& row : table()) {
    if (row.model == last)
      continue;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", row.model);
    last = row.model;
  }
  return names;
}

bool has(const Workload& row, Phase phase) {
  return row.phases == Phases::both || (row.phases == Phases::prefill_only) == (phase == Phase::prefill);
}

NamedProblem expand(const Workload& row, std::int64_t seq, Phase phase) {
  const std::int64_t len_q = phase == Phase::decode ? 1 : seq;
  const std::int64_t len_kv = row.keys > 0 ? row.keys : seq;
  return {.name = fmt::format("{}.{}", full_name(row), name(phase)),
          .problem = parse_problem(fmt::format("{} seq={}/{}", row.problem, len_q, len_kv))};
}

}  // namespace

std::string_view name(Phase phase) noexcept { return phase == Phase::prefill ? "prefill" : "decode"; }

std::optional<Phase> parse_phase(std::string_view text) noexcept {
  for (const Phase phase : {Phase::prefill, Phase::decode})
    if (text == name(phase))
      return phase;
  return std::nullopt;
}

const std::vector<Workload>& workloads() { return table(); }

std::vector<NamedProblem> workload_problems(std::string_view model, std::optional<std::int64_t> seq,
                                            std::optional<Phase> phase) {
  if (seq && *seq < 1)
    throw RefusalError({.field = "seq",
                        .value = fmt::format("{}", *seq),
                        .limit = "a workload has at least one key",
                        .remedy = "use seq=1 or more"});
  std::vector<NamedProblem> problems;
  bool known = false;
  for (const Workload& row : table()) {
    if (row.model != model && full_name(row) != model)
      continue;
    known = true;
    for (const Phase each : {Phase::prefill, Phase::decode})
      if (has(row, each) && (!phase || *phase == each))
        problems.push_back(expand(row, seq.value_or(row.seq), each));
  }
  if (!known)
    throw RefusalError({.field = "model",
                        .value = std::string(model),
                        .limit = "no such workload is known",
                        .remedy = fmt::format("use one of {}, or write the problem out", known_models())});
  if (problems.empty())
    throw RefusalError({.field = "phase",
                        .value = std::string(phase ? name(*phase) : ""),
                        .limit = fmt::format("{} has no such phase", model),
                        .remedy = "leave the phase out to get the phases it has"});
  return problems;
}

}  // namespace attentune
