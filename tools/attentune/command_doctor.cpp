// attentune doctor: is everything there, and what to do about what is not.
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>

#include "cache/filesystem.h"
#include "generator/error.h"
#include "runtime/cuda/driver.h"
#include "runtime/cuda/gpu_presence.h"
#include "runtime/cuda/nvrtc_search.h"
#include "runtime/reference/runner.h"
#include "runtime/reference/verify.h"
#include "tools/attentune/command.h"
#include "tools/attentune/memory.h"
#include "tools/attentune/output.h"
#include "tools/attentune/quantity.h"
#include "tools/attentune/session.h"
#include "tuner/build_hash.h"

namespace attentune {
namespace {

enum class Health : std::uint8_t { ok, warn, fail };

struct Finding {
  Health health = Health::ok;
  std::string detail;
  std::string next;  // what to do; "" when ok
};

struct Check {
  std::string_view name;
  std::function<Finding(const Arguments&)> look;
};

Finding machine(const Arguments&) {
  utsname system{};
  uname(&system);
  const std::string text = fmt::format("{} {} {}, {} CPU(s)", system.sysname, system.release, system.machine,
                                       std::thread::hardware_concurrency());
  if (std::string_view(system.machine) != "x86_64")
    return {Health::warn, text, "Linux x86-64 is what is tested; report what fails here"};
  return {Health::ok, text, ""};
}

Finding memory(const Arguments&) {
  const auto available = static_cast<double>(available_memory());
  const std::string text = format_bytes(available) + " available";
  if (available < 0x1p30)
    return {Health::warn, text, "tuning long sequences needs more; free memory or use small problems"};
  return {Health::ok, text, ""};
}

Finding compiler(const Arguments& arguments) {
  return {Health::ok, device_of(arguments)->compiler().name() + ", build " + build_hash().substr(0, 12), ""};
}

Finding device(const Arguments& arguments) {
  const auto opened = device_of(arguments);
  const DeviceIdentity& identity = opened->identity();
  if (identity.kind != DeviceIdentity::Kind::host)
    return {Health::ok, to_text(identity), ""};
  const std::string text =
      fmt::format("{} ({}), caches {} KiB / {} KiB / {} KiB, {} thread(s)", identity.name, identity.arch,
                  identity.l1_kib, identity.l2_kib, identity.l3_kib, identity.threads);
  return {Health::ok, text, ""};
}

Finding features(const Arguments& arguments) {
  const auto device = device_of(arguments);
  const Arch& arch = device->arch();
  if (!arch.is_host())
    return {Health::ok, arch.name, ""};
  std::string present;
  for (const char* feature : {"sse4.2", "avx", "f16c", "fma", "avx2", "avx512f", "avx512bw", "avx512vl", "avx512bf16",
                              "avx512fp16", "amx-bf16", "amx-tile", "neon", "fp16", "bf16", "sve"})
    if (arch.has(feature))
      present += fmt::format("{}{}", present.empty() ? "" : " ", feature);
  if (arch.machine == "x86_64" && !arch.has("fma"))
    return {Health::warn, present, "without fma kernels are slow; in a virtual machine, pass the host's CPU through"};
  return {Health::ok, present, ""};
}

Finding kernel(const Arguments& arguments) {
  const auto device = device_of(arguments);
  const Problem problem =
      parse_problem(fmt::format("dtype={} heads=2/1 head_dim=64 seq=70 mask=causal() outputs=out,lse",
                                device->arch().is_host() ? "f32" : "bf16"));
  const FamilyConfig choice = choose(problem, device->arch(), std::nullopt);
  const auto built = build(problem, device, *choice.family, choice.config);
  const auto executor = make_pool(1);
  const Verdict verdict = Verifier(*executor, device->memory()).verify(problem, runner(built));
  if (!verdict.passed)
    return {Health::fail, verdict.sentence, "report this line together with the output of `attentune devices`"};
  return {Health::ok, fmt::format("a test kernel compiled in {} and is correct", format_ms(built->binary().compile_ms)),
          ""};
}

Finding worker(const Arguments&) { return {Health::ok, own_path(), ""}; }

std::filesystem::path existing_parent(std::filesystem::path path) {
  std::error_code error;
  while (!path.empty() && !std::filesystem::exists(path, error) && path != path.parent_path())
    path = path.parent_path();
  return path.empty() ? std::filesystem::path(".") : path;
}

Finding place(const Arguments& arguments) {
  const std::string path = store_path_of(arguments);
  switch (filesystem_kind(path)) {
    case FilesystemKind::local:
      return {Health::ok, path, ""};
    case FilesystemKind::network:
      return {Health::warn, path + " is on a network file system: read as a snapshot, nothing is written",
              "tune with --store LOCALPATH"};
    case FilesystemKind::read_only:
      return {Health::warn, path + " may not be written by this user: new results stay in memory",
              "tune with --store PATH in a folder of yours, or set ATTENTUNE_STORE"};
  }
  return {};
}

Finding store(const Arguments& arguments) {
  if (store_path_of(arguments) == ":memory:")
    return {Health::warn, "in memory: what is learned is lost when the process ends", "name a file with --store PATH"};
  std::error_code error;
  if (!std::filesystem::exists(store_path_of(arguments), error))
    return {Health::ok, "none yet; the first `attentune tune` makes it", ""};
  const auto opened = store_of(arguments, StoreMode::read_only);
  const VerifyReport report = opened->verify(false);
  const StoreStats stats = opened->stats();
  const std::string text = fmt::format("{}, {}, {}, {}", format_count(stats.winners, "winner", "winners"),
                                       format_count(stats.measurements, "measurement", "measurements"),
                                       format_count(stats.binaries, "binary", "binaries"),
                                       format_bytes(static_cast<double>(stats.file_bytes)));
  if (!report.problems.empty())
    return {Health::fail, report.problems.front(), "`attentune tune` sets a damaged Store aside and begins a new one"};
  if (!report.corrupt_binaries.empty())
    return {Health::warn, fmt::format("{}; {} corrupt binaries", text, report.corrupt_binaries.size()),
            "nothing: they are compiled again when they are next needed"};
  return {Health::ok, text, ""};
}

Finding disk(const Arguments& arguments) {
  struct statvfs status{};
  const std::string folder = existing_parent(store_path_of(arguments)).string();
  if (statvfs(folder.c_str(), &status) != 0)
    return {Health::warn, folder + " cannot be examined", "give --store PATH in a folder of yours"};
  const double available = static_cast<double>(status.f_bavail) * static_cast<double>(status.f_frsize);
  const std::string text = fmt::format("{} free at {}", format_bytes(available), folder);
  if (available < 0x1p26)
    return {Health::fail, text, "free some space, or give --store PATH elsewhere"};
  if (available < 0x1p30)
    return {Health::warn, text, "the Store may grow to 1 GiB; free some space"};
  return {Health::ok, text, ""};
}

Finding gpu(const Arguments&) {
  switch (cuda::find_gpu()) {
    case cuda::GpuPresence::none:
      return {Health::ok, "none found", ""};
    case cuda::GpuPresence::device_without_driver:
      return {Health::warn, "a GPU without a driver",
              "install NVIDIA's driver R525 or newer; until then --device host"};
    case cuda::GpuPresence::driver:
      break;
  }
  const auto driver = cuda::Driver::open();
  return {Health::ok,
          fmt::format("{}, driver for CUDA {}.{}", format_count(driver->device_count(), "GPU", "GPUs"),
                      driver->version() / 1000, driver->version() % 1000 / 10),
          ""};
}

Finding nvrtc(const Arguments&) {
  try {
    const auto found = cuda::find_nvrtc(gpu_arch("sm_90a"), compiler_options());
    return {Health::ok, fmt::format("NVRTC {}.{} at {}", found->version().major, found->version().minor, found->path()),
            ""};
  } catch (const RefusalError& refusal) {
    // Needed for GPUs only.
    return {Health::warn, refusal.refusal().limit, refusal.refusal().remedy};
  }
}

Finding examine(const Check& check, const Arguments& arguments) {
  try {
    return check.look(arguments);
  } catch (const Error& error) {
    const std::string sentence = error.what();
    const std::size_t split = sentence.find("; ");
    return {Health::fail, sentence.substr(0, split),
            split == std::string::npos ? "see `attentune doctor --help`" : sentence.substr(split + 2)};
  }
}

std::string_view name(Health health) {
  switch (health) {
    case Health::ok:
      return "ok";
    case Health::warn:
      return "warn";
    case Health::fail:
      return "FAIL";
  }
  return "";
}

}  // namespace

int run_doctor(const Arguments& arguments) {
  const Check checks[] = {{"machine", machine},   {"memory", memory}, {"device", device}, {"features", features},
                          {"compiler", compiler}, {"kernel", kernel}, {"worker", worker}, {"store path", place},
                          {"store", store},       {"disk", disk},     {"gpu", gpu},       {"nvrtc", nvrtc}};
  bool failed = false;
  for (const Check& check : checks) {
    const Finding finding = examine(check, arguments);
    failed = failed || finding.health == Health::fail;
    if (arguments.json) {
      print_json({{"event", "check"},
                  {"check", check.name},
                  {"status", finding.health == Health::fail ? "fail" : name(finding.health)},
                  {"detail", finding.detail},
                  {"next", finding.next}});
      continue;
    }
    fmt::print("{:<5} {:<11} {}\n", name(finding.health), check.name, finding.detail);
    if (!finding.next.empty())
      fmt::print("{:>18}next: {}\n", "", finding.next);
  }
  return failed ? 1 : 0;
}

}  // namespace attentune
