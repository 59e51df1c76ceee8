#include "tools/attentune/command.h"

namespace attentune {

const std::vector<Command>& commands() {
  static const std::vector<Command> rows{
      {.name = "doctor",
       .summary = "check this machine and the Store, with a next step for all that is wrong",
       .detail = "Exits 1 when something fails; a warning alone exits 0.",
       .example = "attentune doctor",
       .options = takes_device | takes_store | takes_json,
       .run = run_doctor},
      {.name = "devices",
       .summary = "list the devices kernels can run on",
       .example = "attentune devices --json",
       .options = takes_device | takes_json,
       .run = run_devices},
      {.name = "problems",
       .summary = "list the workloads known by name, or print problems in canonical text",
       .detail =
           "Without a problem: the models that --model knows. With one: its canonical text, floating-point\n"
           "operations and bytes, one line a problem, fit for --file. --all prints what `verify --all` verifies on\n"
           "the device, with the Config of those that are not verified with their default.",
       .example = "attentune problems\n"
                  "attentune problems --model gemma-2-9b --seq 8192 > gemma.list",
       .options = takes_problem | takes_device | takes_all | takes_json,
       .run = run_problems},
      {.name = "space",
       .summary = "show the space of Configs of a problem, with the best by predicted cost",
       .detail = "Of every family of kernels that serves it, the one predicted to be the fastest first. `tune` tries\n"
                 "Configs of all of them.",
       .example = "attentune space dtype=f32 heads=8 head_dim=128 seq=2048",
       .options = takes_problem | takes_device | takes_arch | takes_json,
       .run = run_space},
      {.name = "generate",
       .summary = "print the Source of a problem's kernel",
       .detail = "The default Config unless --config names one. The text compiles by hand: LLVM IR with llc-19\n"
                 "FILE, CUDA C++ with nvcc --cubin --gpu-architecture=ARCH FILE or NVRTC.",
       .example = "attentune generate dtype=f32 heads=8 head_dim=64 seq=128 -o kernel.ll\n"
                  "attentune generate dtype=f32 heads=8 head_dim=64 seq=128 --launches",
       .options =
           takes_problem | takes_device | takes_arch | takes_config | takes_templates | takes_output | takes_launches,
       .run = run_generate},
      {.name = "compile",
       .summary = "compile a problem's kernel, for this machine or another (--arch)",
       .detail = "For a GPU (--arch sm_90a) NVRTC is needed, but neither a GPU nor its driver.",
       .example = "attentune compile dtype=bf16 heads=8 head_dim=128 seq=4096 --arch haswell -o kernel.o\n"
                  "attentune compile dtype=bf16 heads=8 head_dim=128 seq=4096 --arch sm_90a -o kernel.cubin",
       .options = takes_problem | takes_device | takes_arch | takes_config | takes_templates | takes_output |
                  takes_assembly | takes_json,
       .run = run_compile},
      {.name = "tune",
       .summary = "measure Configs and store the fastest verified one",
       .detail =
           "Ctrl-C drops the candidate in flight and keeps what was found; the same command goes on from\n"
           "there. Exits 0 if every problem has a verified winner (also after Ctrl-C), else 1. On a simulator,\n"
           "which has no clock, Configs are verified in order of predicted cost, and nothing is stored; it exits 0\n"
           "if all of them were right.",
       .example = "attentune tune dtype=bf16 heads=32/8 head_dim=128 seq=4096 'mask=causal()' --budget 2m\n"
                  "attentune tune --model llama-3.1-8b --seq 2048 --phase prefill\n"
                  "attentune tune --from-misses",
       .options = takes_problem | takes_device | takes_store | takes_config | takes_budget | takes_json | takes_verbose,
       .run = run_tune},
      {.name = "run",
       .summary = "run a problem once, on random inputs or .npy files, and check the result",
       .detail = "Arrays: q [batch, len_q, heads, d], k and v [batch, len_kv, heads_kv, d], out like q with v's d,\n"
                 "lse f32 [batch, heads, len_q], C order; f32 as <f4, f16 as <f2, bf16 as raw <u2, fp8 as raw |u1.\n"
                 "With arrays, sizes left out of the problem are taken from them. Exits 1 over the error bound.",
       .example = "attentune run --model llama-3.1-8b --seq 1024 --phase prefill\n"
                  "attentune run dtype=f32 --q Q.npy --k K.npy --v V.npy --out O.npy",
       .options =
           takes_problem | takes_device | takes_store | takes_config | takes_templates | takes_arrays | takes_json,
       .run = run_run},
      {.name = "bench",
       .summary = "time a problem's kernel and compare it with ceilings measured in the same run",
       .detail = "Ceilings: a loop of fused multiply-adds, and reads of a working set of the problem's size, both on\n"
                 "the same threads. fraction = flops / ceiling, the lower of what arithmetic and memory allow.",
       .example = "attentune bench dtype=f32 head_dim=128 heads=1 seq=2048 --threads 1",
       .options = takes_problem | takes_device | takes_store | takes_config | takes_templates | takes_json,
       .run = run_bench},
      {.name = "verify",
       .summary = "verify a problem's kernel against the exact reference",
       .detail = "The default Config unless --config names one; --all-configs N takes N spread over the space of each\n"
                 "family of kernels that serves the problem.\n"
                 "--all verifies a built-in list that covers dtypes, masks, groups and odd sizes, and on a GPU the\n"
                 "default kernels of the built-in workloads at short lengths.",
       .example = "attentune verify dtype=f16 heads=8/2 head_dim=80 seq=333/517 'mask=causal()'\n"
                  "attentune verify --all\n"
                  "attentune verify dtype=f32 heads=8 head_dim=64 seq=200 --all-configs 20",
       .options = takes_problem | takes_device | takes_config | takes_templates | takes_all | takes_sample |
                  takes_json | takes_verbose,
       .run = run_verify},
      {.name = "cache",
       .summary = "look into the Store: list, show KEY, misses, verify, prune",
       .detail = "list: winners. show KEY: a winner's or binary's row, source and measurements (KEY: an id or the\n"
                 "beginning of a binary key). misses: what was asked for and never tuned. verify: checks every page,\n"
                 "rule and hash, exit 1 if something is wrong. prune --size BYTES: drops the least used binaries.",
       .example = "attentune cache list\n"
                  "attentune cache show 3f2a\n"
                  "attentune cache prune --size 200M",
       .options = takes_action | takes_store | takes_json,
       .run = run_cache},
      {.name = "worker",
       .summary = "run candidates for `attentune tune` (started by it)",
       .example = "attentune tune dtype=f32 heads=8 head_dim=64 seq=128",
       .options = 0,
       .run = run_worker_command,
       .hidden = true},
  };
  return rows;
}

}  // namespace attentune
