#include "generator/key.h"

#include <doctest/doctest.h>

#include <fstream>
#include <functional>
#include <set>
#include <sstream>
#include <string>

#include "generator/bucket.h"

using namespace attentune;

namespace {

const char* const base_text =
    "dtype=bf16 batch=2 heads=32/8 head_dim=128 seq=4096 mask=causal()&(window(1023,0)|sink(4)) score=softcap(30)";

DeviceIdentity some_device() {
  DeviceIdentity device;
  device.name = "Some CPU";
  device.arch = "znver4";
  device.threads = 8;
  return device;
}

struct Keys {
  std::string binary;
  std::string tuning;
};

Keys keys(const Problem& p) {
  Config config;
  config.add("tile_m", "64", ChoiceKind::compile);
  Source source;
  source.text = "text";
  return {binary_key(p, gpu_arch("sm_90a"), "family", config, source, "compiler 1", ""),
          tuning_key(p, some_device(), "warm1")};
}

// One change a field, and how far it reaches: exactly these keys change and the others do not.
struct Flip {
  const char* field;
  std::function<void(Problem&)> change;
  bool binary;
  bool tuning;
};

const std::vector<Flip>& flips() {
  static const std::vector<Flip> table{
      {"dtype", [](Problem& p) { p.q = Dtype::f16; }, true, true},
      {"k", [](Problem& p) { p.k = Dtype::f16; }, true, true},
      {"v", [](Problem& p) { p.v = Dtype::e4m3; }, true, true},
      {"out", [](Problem& p) { p.out = Dtype::f32; }, true, true},
      {"batch to another bucket", [](Problem& p) { p.batch = 3; }, false, true},
      {"heads, same ratio", [](Problem& p) { p.heads_q = 48, p.heads_kv = 12; }, false, true},
      {"heads, other ratio", [](Problem& p) { p.heads_q = 64; }, true, true},
      {"head_dim of Q and K", [](Problem& p) { p.head_dim_qk = 64; }, true, true},
      {"head_dim of V", [](Problem& p) { p.head_dim_v = 64; }, true, true},
      {"len_q to another bucket", [](Problem& p) { p.len_q = 4097; }, false, true},
      {"len_kv to another bucket", [](Problem& p) { p.len_kv = 4097; }, false, true},
      {"len_kv within its bucket", [](Problem& p) { p.len_kv = 4095; }, false, false},
      {"len_q within its bucket", [](Problem& p) { p.len_q = 4000; }, false, false},
      {"window width to another bucket", [](Problem& p) { p.mask.arguments[0] = 1025; }, false, true},
      {"window width within its bucket", [](Problem& p) { p.mask.arguments[0] = 1000; }, false, false},
      {"n of sink", [](Problem& p) { p.mask.arguments[2] = 5; }, false, false},
      {"mask structure", [](Problem& p) { p.mask = parse_mask("causal()"); }, true, true},
      {"score structure", [](Problem& p) { p.score = Score(); }, true, true},
      {"literal of the score", [](Problem& p) { p.score = parse_score("softcap(50)"); }, true, true},
      {"layout", [](Problem& p) { p.layout = Layout::varlen; }, true, true},
      {"page_size", [](Problem& p) { p.layout = Layout::paged, p.page_size = 16; }, true, true},
      {"outputs", [](Problem& p) { p.lse = true; }, true, true},
      {"sink_logit", [](Problem& p) { p.sink_logit = true; }, true, true},
      {"align", [](Problem& p) { p.alignment = 8; }, true, true},
      {"scale", [](Problem& p) { p.scale = 0.5; }, false, false},
  };
  return table;
}

}  // namespace

TEST_CASE("each field reaches exactly the keys the table says") {
  const Problem base = parse_problem(base_text);
  const Keys before = keys(base);
  for (const Flip& flip : flips()) {
    INFO(flip.field);
    Problem changed = base;
    flip.change(changed);
    REQUIRE(!(changed == base));
    const Keys after = keys(changed);
    CHECK((after.binary != before.binary) == flip.binary);
    CHECK((after.tuning != before.tuning) == flip.tuning);
    CHECK((class_text(changed) != class_text(base)) == flip.binary);
    CHECK(same_class(changed, base) == !flip.binary);
    CHECK((class_hash(changed) != class_hash(base)) == flip.binary);
  }
}

TEST_CASE("every field of the table is flipped above") {
  std::string flipped;
  for (const Flip& flip : flips())
    flipped += std::string(flip.field) + "\n";
  for (const ProblemField& field : problem_fields()) {
    if (field.name == "pass")
      continue;  // there is one pass today
    const std::string word = field.name == "heads" || field.name == "head_dim" ? std::string(field.name)
                             : field.name == "seq"                             ? "len_q"
                                                                               : std::string(field.name);
    INFO(field.name);
    CHECK(flipped.find(word) != std::string::npos);
  }
}

TEST_CASE("a binary key depends on all it is made of, and on launch choices not at all") {
  const Problem p = parse_problem(base_text);
  Config config;
  config.add("tile_m", "64", ChoiceKind::compile);
  Source source;
  source.text = "text";
  source.launches.emplace_back();
  const Arch arch = gpu_arch("sm_90a");
  const std::string key = binary_key(p, arch, "family", config, source, "compiler 1", "");
  CHECK(key.size() == 64);
  Config launch = config;
  launch.add("grain", "4", ChoiceKind::launch);
  CHECK(binary_key(p, arch, "family", launch, source, "compiler 1", "") == key);
  Source other = source;
  other.text += " ";
  Source relaunched = source;
  relaunched.launches[0].shared_bytes = "1";
  std::set<std::string> all{
      key,
      binary_key(p, gpu_arch("sm_80"), "family", config, source, "compiler 1", ""),
      binary_key(p, arch, "other", config, source, "compiler 1", ""),
      binary_key(p, arch, "family", Config(), source, "compiler 1", ""),
      binary_key(p, arch, "family", config, other, "compiler 1", ""),
      binary_key(p, arch, "family", config, relaunched, "compiler 1", ""),
      binary_key(p, arch, "family", config, source, "compiler 2", ""),
      binary_key(p, arch, "family", config, source, "compiler 1", "-O2"),
  };
  CHECK(all.size() == 8);
}

TEST_CASE("the tuning key depends on device and policy") {
  const Problem p = parse_problem(base_text);
  DeviceIdentity other = some_device();
  other.threads = 4;
  CHECK(tuning_key(p, some_device(), "warm1") != tuning_key(p, other, "warm1"));
  CHECK(tuning_key(p, some_device(), "warm1") != tuning_key(p, some_device(), "cold1"));
}

TEST_CASE("sha256 of the empty text and of abc are FIPS 180-4's") {
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

// Golden keys of this release: a Store written by it must be read by every later one. A line that changes here needs a
// migration, not a new golden file.
TEST_CASE("class and bucket keys are those of the golden file") {
  std::ifstream file(std::string(ATTENTUNE_TEST_DATA) + "/keys_v1.txt");
  REQUIRE(file.good());
  std::string problem, class_key, bucket;
  int lines = 0;
  while (std::getline(file, problem) && std::getline(file, class_key) && std::getline(file, bucket)) {
    INFO(problem);
    const Problem p = parse_problem(problem);
    CHECK(to_text(p) == problem);
    CHECK(sha256_hex(class_text(p)).substr(0, 16) + " " + class_text(p) == class_key);
    CHECK(sha256_hex(to_text(bucket_of(p))).substr(0, 16) + " " + to_text(bucket_of(p)) == bucket);
    ++lines;
  }
  CHECK(lines == 60);
}
