// Where results and complaints go: files, links, pipes, closed and full streams.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/tools/cli.h"

using namespace attentune::test;
namespace fs = std::filesystem;

namespace {
const std::string problem = "dtype=f32 heads=1 head_dim=8 seq=9";
}

TEST_CASE("a pipe or link named as output stays one") {
  const TemporaryFolder home;
  const std::string pipe = home.file("pipe");
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  const std::string reader = "cd '" + home.path().string() + "'; cat pipe > got & \"$ATTENTUNE\" ";
  CHECK(shell(home, reader + "generate " + problem + " -o pipe; code=$?; wait; exit $code").code == 0);
  CHECK(read_text(home.file("got")) == run_cli(home, {"generate", problem}).out);
  CHECK(shell(home, reader + "run " + problem + " --out pipe; code=$?; wait; exit $code").code == 0);
  CHECK(read_text(home.file("got")).find("NUMPY") == 1);
  CHECK(fs::is_fifo(pipe));

  fs::create_symlink("o.npy", home.file("link"));
  CHECK(run_cli(home, {"run", problem, "--out", home.file("link")}).code == 0);
  CHECK(fs::is_symlink(home.file("link")));
  CHECK(read_text(home.file("o.npy")) == read_text(home.file("got")));
}

TEST_CASE("a sentence that nobody can read changes no exit code") {
  const TemporaryFolder home;
  CHECK(shell(home, "\"$ATTENTUNE\" run 2>&-").code == 2);
  CHECK(shell(home, "\"$ATTENTUNE\" tunne 2>&-").code == 2);
  CHECK(shell(home, "\"$ATTENTUNE\" run " + problem + " --device abacus 2> /dev/full").code == 2);
  CHECK(shell(home, "\"$ATTENTUNE\" cache list 2>&-").code == 0);
  CHECK(shell(home, "\"$ATTENTUNE\" cache verify --store none.db 2> /dev/full").code == 1);
}

TEST_CASE("a closed standard output is called closed, not full") {
  const TemporaryFolder home;
  const Finished closed = shell(home, "\"$ATTENTUNE\" problems " + problem + " >&-");
  CAPTURE(closed.err);
  CHECK(closed.code == 1);
  CHECK(is_one_sentence(closed));
  CHECK(closed.err.find("it is closed") != std::string::npos);
}

TEST_CASE("whatever a command prints, a full standard output is a failure and one sentence") {
  const TemporaryFolder home;
  for (const std::string words :
       {"--help", "--version", "run --help", "problems", "problems --json", "devices --json", "cache list --help",
        "space dtype=f32 heads=1 head_dim=8 seq=9 --json", "generate dtype=f32 heads=1 head_dim=8 seq=9",
        "compile dtype=f32 heads=1 head_dim=8 seq=9 --assembly --json"}) {
    CAPTURE(words);
    const Finished full = shell(home, "\"$ATTENTUNE\" " + words + " > /dev/full");
    CAPTURE(full.err);
    CHECK(full.code == 1);
    CHECK(is_one_sentence(full));
    CHECK(full.err.find("No space left on device; free some space") != std::string::npos);
  }
}

TEST_CASE("bytes that are no UTF-8 make no invalid JSON") {
  const TemporaryFolder home;
  CHECK(shell(home, "\"$ATTENTUNE\" devices --json --device $(printf '\\377')").lines().size() == 1);
  const Finished doctor = shell(home, "\"$ATTENTUNE\" doctor --json --store s$(printf '\\377').db");
  CHECK(doctor.err.empty());
  CHECK(!doctor.lines().empty());
}

TEST_CASE("an output that cannot be made is told before work starts") {
  const TemporaryFolder home;
  // Nothing is printed and no kernel is built: a problem no memory holds is not even looked at.
  const std::string huge = "dtype=f32 batch=1000 heads=64 head_dim=128 seq=1000000";
  for (const std::vector<std::string>& words : {std::vector<std::string>{"run", huge, "--out", home.file("no/o.npy")},
                                                {"run", huge, "--lse", home.path().string()},
                                                {"generate", problem, "-o", home.file("no/k.ll")},
                                                {"compile", problem, "-o", "/proc/attentune"}}) {
    const Finished finished = run_cli(home, words);
    CAPTURE(finished.err);
    CHECK(finished.code == 2);
    CHECK(is_one_sentence(finished));
    CHECK(finished.err.find(words.back() + " cannot be written: ") != std::string::npos);
  }
}

TEST_CASE("a full disk is a failure, not misuse") {
  const TemporaryFolder home;
  // A device node of our own stands in for the disk; a limit on the size of files would do no more than kill.
  const std::string full = home.file("full");
  if (mknod(full.c_str(), S_IFCHR | 0666, makedev(1, 7)) != 0 || access(full.c_str(), W_OK) != 0) {
    MESSAGE("skipped: this user may not make a device node");
    return;
  }
  for (const std::vector<std::string>& words : {std::vector<std::string>{"run", problem, "--out", full},
                                                {"generate", problem, "-o", full},
                                                {"compile", problem, "-o", full}}) {
    CAPTURE(words.front());
    const Finished finished = run_cli(home, words);
    CAPTURE(finished.err);
    CHECK(finished.code == 1);
    CHECK(finished.err.find("attentune: " + full + " cannot be written: No space left on device; free some space") ==
          0);
  }
  CHECK(fs::is_character_file(full));
}

TEST_CASE("a file over the limit on sizes ends in a sentence too") {
  const TemporaryFolder home;
  const Finished cut = shell(home, "{ (ulimit -f 4; \"$ATTENTUNE\" compile " + problem + " -o " + home.file("k.o") +
                                       " > /dev/null); echo code $?; } 2>&1 | cat");
  CAPTURE(cut.out);
  CHECK(cut.out.find("attentune: " + home.file("k.o") + " cannot be written: File too large; ") == 0);
  CHECK(cut.out.find("\ncode 1\n") != std::string::npos);
  CHECK(!fs::exists(home.file("k.o")));
}

TEST_CASE("assembly is one JSON object where JSON is asked for") {
  const TemporaryFolder home;
  const Finished plain = run_cli(home, {"compile", problem, "--assembly"});
  const Finished json = run_cli(home, {"compile", problem, "--assembly", "--json", "-o", home.file("k.s")});
  REQUIRE(json.code == 0);
  REQUIRE(json.lines().size() == 1);
  CHECK(json.event("assembly").at("assembly") == plain.out);
  CHECK(json.event("assembly").at("problem") == problem);
  CHECK(read_text(home.file("k.s")) == plain.out);
}

TEST_CASE("a Store that is no file is refused before it is opened") {
  const TemporaryFolder home;
  const std::string pipe = home.file("pipe");
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  for (const std::string& store : {pipe, home.path().string()}) {
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"cache", "list"}, {"cache", "verify"}, {"run", problem}, {"tune", problem}}) {
      std::vector<std::string> whole = words;
      whole.insert(whole.end(), {"--store", store});
      const Finished finished = run_cli(home, whole);
      CAPTURE(finished.err);
      CHECK(finished.code == 2);
      CHECK(is_one_sentence(finished));
      CHECK(finished.err.find("name a file with --store") != std::string::npos);
    }
    const Finished doctor = run_cli(home, {"doctor", "--store", store});
    CHECK(doctor.code == 1);
    CHECK(doctor.out.find("FAIL  store ") != std::string::npos);
  }
  CHECK(run_cli(home, {"doctor", "--store", ":memory:"}).out.find("warn  store       in memory") != std::string::npos);
  const Finished array = run_cli(home, {"run", problem, "--q", pipe, "--k", pipe, "--v", pipe});
  CHECK(array.code == 2);
  CHECK(is_one_sentence(array));
}
