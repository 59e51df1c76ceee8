// Where results and complaints go: files, links, pipes, closed and full streams.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>

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
