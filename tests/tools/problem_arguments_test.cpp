#include <doctest/doctest.h>

#include "tests/tools/cli.h"

using namespace attentune::test;

namespace {

// The canonical text of what the words name.
std::string canonical(const TemporaryFolder& home, std::vector<std::string> words) {
  words.insert(words.begin(), "problems");
  words.emplace_back("--json");
  const Finished finished = run_cli(home, std::move(words));
  CAPTURE(finished.err);
  REQUIRE(finished.code == 0);
  std::string text;
  for (const nlohmann::json& line : finished.lines())
    text += (text.empty() ? "" : "\n") + line.at("problem").get<std::string>();
  return text;
}

void check_refused(const TemporaryFolder& home, std::vector<std::string> words, const std::string& part) {
  words.insert(words.begin(), "problems");
  CAPTURE(words.back());
  const Finished finished = run_cli(home, words);
  CAPTURE(finished.err);
  CHECK(finished.code == 2);
  CHECK(is_one_sentence(finished));
  CHECK(finished.err.find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("options, words, a quoted line and a list name the same problem") {
  const TemporaryFolder home;
  const std::string line = "dtype=bf16 batch=2 heads=32/8 head_dim=128 seq=4096 mask=causal()&window(9,0)";
  CHECK(canonical(home, {line}) == line);
  CHECK(canonical(home, {"seq=4096", "dtype=bf16", "batch=2", "heads=32/8", "head_dim=128",
                         "mask=causal()&window(9,0)"}) == line);
  CHECK(canonical(home, {"seq=4096", "dtype=bf16", "batch=2", "heads=32/8", "head_dim=128",
                         "mask=causal() & window(9, 0)"}) == line);
  CHECK(canonical(home, {"mask=causal() & window( 9,0 ) dtype=bf16 batch=2 heads=32/8 head_dim=128 seq=4096"}) == line);
  CHECK(canonical(home, {"--dtype", "bf16", "--batch", "2", "--heads", "32/8", "--head-dim", "128", "--seq", "4096",
                         "--mask", "causal() & window(9,0)"}) == line);
  write_text(home.file("list"), "# a comment\n\n" + line + "  # another\r\n");
  CHECK(canonical(home, {"--file", home.file("list")}) == line);
}

TEST_CASE("options override every problem of a list or model") {
  const TemporaryFolder home;
  const std::string text = canonical(home, {"--model", "gemma-2-9b", "--seq", "100", "--batch", "3"});
  CHECK(text ==
        "dtype=bf16 batch=3 heads=16/8 head_dim=256 seq=100 mask=causal()&window(4095,0) score=softcap(50)\n"
        "dtype=bf16 batch=3 heads=16/8 head_dim=256 seq=1/100 mask=causal()&window(4095,0) score=softcap(50)\n"
        "dtype=bf16 batch=3 heads=16/8 head_dim=256 seq=100 mask=causal() score=softcap(50)\n"
        "dtype=bf16 batch=3 heads=16/8 head_dim=256 seq=1/100 mask=causal() score=softcap(50)");
  CHECK(canonical(home, {"--model", "gpt-oss.global", "--seq", "64", "--phase", "decode", "--sink-logit=no"}) ==
        "dtype=bf16 heads=64/8 head_dim=64 seq=1/64 mask=causal()");
}

TEST_CASE("several quoted lines are several problems") {
  const TemporaryFolder home;
  CHECK(canonical(home, {"dtype=f32 heads=1 head_dim=8 seq=2", "dtype=f16 heads=1 head_dim=8 seq=2"}) ==
        "dtype=f32 heads=1 head_dim=8 seq=2\ndtype=f16 heads=1 head_dim=8 seq=2");
}

TEST_CASE("what the list prints can be read back as a list") {
  const TemporaryFolder home;
  const Finished printed = run_cli(home, {"problems", "--model", "deepseek-v3", "--seq", "512"});
  REQUIRE(printed.code == 0);
  write_text(home.file("list"), printed.out);
  CHECK(canonical(home, {"--file", home.file("list")}) == canonical(home, {"--model", "deepseek-v3", "--seq", "512"}));
}

TEST_CASE("bad problems are refused with the field, the limit and what would work") {
  const TemporaryFolder home;
  const std::string good = "dtype=f32 heads=4 head_dim=64 seq=128";
  check_refused(home, {"dtype=f32 heads=4 head_dim=0 seq=128"}, "head_dim=0");
  check_refused(home, {"dtype=f32 heads=4 head_dim=-8 seq=128"}, "head_dim=-8");
  check_refused(home, {"dtype=f32 heads=4 head_dim=64 seq=many"}, "seq=many");
  check_refused(home, {"dtype=f32 heads=32/5 head_dim=64 seq=128"}, "heads=32/5");
  check_refused(home, {good + " mask=window(-1,0)"}, "window");
  check_refused(home, {good + " mask=causal("}, "causal");
  for (const std::string mask : {"mask=causal()&", "mask=causal() &", "mask=causal() |"}) {
    check_refused(home, {"heads=4", mask, "seq=40", "dtype=f32", "head_dim=8"}, "the text ends");
    check_refused(home, {"dtype=f32 heads=4 " + mask + " head_dim=8 seq=40"}, "the text ends");
  }
  check_refused(home, {good + " score=tanh"}, "score");
  check_refused(home, {good + " colour=red"}, "colour");
  check_refused(home, {"dtype=f64 heads=4 head_dim=64 seq=128"}, "f64");
  check_refused(home, {good + " seq=9"}, "twice");
  check_refused(home, {"heads=4", "heads=5", "dtype=f32", "head_dim=64", "seq=1"}, "twice");
  check_refused(home, {"dtype=f32"}, "heads");
  check_refused(home, {good + " layout=paged"}, "page_size");
  check_refused(home, {good + " mask=\"causal()"}, "quote");
  check_refused(home, {"dtype=f32 heads=99999999999999999999 head_dim=64 seq=1"}, "heads");
}

TEST_CASE("a malformed list is refused with its name and line") {
  const TemporaryFolder home;
  const std::string list = home.file("work.list");
  write_text(list, "# fine\ndtype=f32 heads=1 head_dim=8 seq=4\n\ndtype=f32 heads=3/2 head_dim=8 seq=4\n");
  check_refused(home, {"--file", list}, list + ":4: heads=3/2");
  write_text(list, "dtype=f32 heads=1 head_dim=8 seq=4\nrubbish\n");
  check_refused(home, {"--file", list}, list + ":2: ");
  write_text(list, std::string("\x00\x01\x02\xff\n", 5));
  check_refused(home, {"--file", list}, list + ":1: ");
  write_text(list, "# nothing\n");
  check_refused(home, {"--file", list}, "names no problem");
  check_refused(home, {"--file", home.path().string()}, "cannot be read");
  check_refused(home, {"--file", list, "--model", "gpt-2"}, "give one of them");
}
