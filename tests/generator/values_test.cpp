// The smaller values of the line: Arch, DeviceIdentity, LaunchRule, Binary, Measurement, Winner, Refusal.
#include <doctest/doctest.h>

#include "generator/arch.h"
#include "generator/binary.h"
#include "generator/device_identity.h"
#include "generator/error.h"
#include "generator/launch_rule.h"
#include "generator/measurement.h"
#include "generator/winner.h"

using namespace attentune;

TEST_CASE("the GPU table names its targets and refuses others by name") {
  CHECK(gpu_arch(9, 0).name == "sm_90a");
  CHECK(gpu_arch("sm_90").name == "sm_90a");
  CHECK(gpu_arch(10, 3).name == "sm_100f");
  CHECK(gpu_arch(12, 1) == gpu_arch(12, 0));
  CHECK_THROWS_WITH_AS((void)gpu_arch(7, 5),
                       "arch=7.5 is refused: it is not in the table of GPU targets; use one of sm_80 sm_86 sm_87 sm_89 "
                       "sm_90a sm_100f sm_120f",
                       RefusalError);
  CHECK_THROWS_AS((void)gpu_arch("sm_75"), RefusalError);
}

TEST_CASE("host arch text goes both ways") {
  Arch arch{.kind = Arch::Kind::host, .name = "znver4", .machine = "x86_64", .features = {"avx2", "avx512f", "fma"}};
  CHECK(to_text(arch) == "host:x86_64:znver4:avx2,avx512f,fma");
  CHECK(parse_arch(to_text(arch)) == arch);
  CHECK(arch.has("avx512f"));
  CHECK(!arch.has("avx"));
  CHECK(parse_arch("sm_80") == gpu_arch(8, 0));
  CHECK_THROWS_AS((void)parse_arch("host:x86_64"), RefusalError);
  arch.features.clear();
  CHECK(parse_arch(to_text(arch)) == arch);
}

TEST_CASE("device identity text goes both ways") {
  const DeviceIdentity host{.kind = DeviceIdentity::Kind::host,
                            .name = "Intel(R)  Xeon(R) Processor ",
                            .arch = "sapphirerapids",
                            .features_digest = "0a1b2c3d",
                            .l1_kib = 48,
                            .l2_kib = 2048,
                            .l3_kib = 1,
                            .threads = 2,
                            .sms = 0,
                            .memory_gib = 0,
                            .bus_bits = 0,
                            .mig_profile = {},
                            .power_class = {}};
  const std::string text = to_text(host);
  CHECK(text ==
        "host name=Intel(R)_Xeon(R)_Processor arch=sapphirerapids features=0a1b2c3d l1=48 l2=2048 l3=1 threads=2");
  CHECK(to_text(parse_device_identity(text)) == text);
  DeviceIdentity gpu;
  gpu.kind = DeviceIdentity::Kind::gpu;
  gpu.sms = 132;
  CHECK(parse_device_identity(to_text(gpu)) == gpu);
  CHECK_THROWS_AS((void)parse_device_identity("toaster"), RefusalError);
  CHECK_THROWS_AS((void)parse_device_identity("host sms=many"), RefusalError);
  CHECK_THROWS_AS((void)parse_device_identity("host colour=red"), RefusalError);
}

TEST_CASE("launch rules go through JSON unchanged") {
  LaunchRule rule;
  rule.entry = "attentune_forward";
  rule.grid = {"batch * heads_kv * ceil_div(len_q, 64)", "1", "1"};
  rule.workspace.push_back({"scratch", "4096", true});
  rule.tensor_maps.push_back({"k", {"64", "128"}, "128"});
  rule.depends_on_previous = true;
  const std::vector<LaunchRule> rules{rule, LaunchRule{}};
  CHECK(parse_launch_rules(to_text(rules)) == rules);
  for (const char* text : {"", "{", "[{}]", "3", "[1]", "[{\"entry\":1}]"}) {
    INFO(text);
    CHECK_THROWS_AS((void)parse_launch_rules(text), RefusalError);
  }
}

TEST_CASE("binary metadata goes through JSON unchanged, the object stays out of it") {
  Binary binary;
  binary.key = "k";
  binary.family = "forward_host";
  binary.compiler = "llvm 19";
  binary.launches.emplace_back();
  binary.registers = 32;
  binary.compile_ms = 12.5;
  binary.warnings = {"a \"quoted\" warning\n"};
  binary.object = {1, 2, 3};
  const Binary read = parse_binary_metadata(metadata_text(binary));
  CHECK(read.object.empty());
  CHECK(metadata_text(read) == metadata_text(binary));
  CHECK(read.launches == binary.launches);
  CHECK(read.warnings == binary.warnings);
  CHECK_THROWS_AS((void)parse_binary_metadata("{}"), RefusalError);
}

TEST_CASE("a measurement goes through JSON unchanged") {
  Measurement m;
  m.config = "tile_m=64 | grain=1";
  m.outcome = Outcome::timed_out;
  m.time_ms = 0.1;
  m.detail = "no answer within 2 s";
  CHECK(to_text(parse_measurement(to_text(m))) == to_text(m));
  for (int outcome = 0; outcome < 6; ++outcome) {
    CHECK(parse_outcome(name(static_cast<Outcome>(outcome))) == static_cast<Outcome>(outcome));
  }
  CHECK(!parse_outcome("fine"));
  CHECK_THROWS_AS((void)parse_measurement("{\"outcome\":\"fine\"}"), RefusalError);
}

TEST_CASE("a refusal is one sentence") {
  CHECK(Refusal{"head_dim", "700", "this family serves 1 to 576", "use head_dim=576"}.sentence() ==
        "head_dim=700 is refused: this family serves 1 to 576; use head_dim=576");
  CHECK(Refusal{"dtype", "", "every problem needs it", ""}.sentence() == "dtype is refused: every problem needs it");
}

TEST_CASE("every status has a name and a meaning") {
  for (int status = 0; status <= 11; ++status) {
    CHECK(!name(static_cast<Status>(status)).empty());
    CHECK(meaning(static_cast<Status>(status)).back() == '.');
  }
  CHECK(name(Status::out_of_memory) == "out_of_memory");
}
