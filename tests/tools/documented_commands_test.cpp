// The problems of every command that the README and the helps write out can be read, as a shell hands them over.
#include <doctest/doctest.h>
#include <wordexp.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/tools/cli.h"

using namespace attentune;
using namespace attentune::test;

namespace {

// What a shell makes of a line; nothing where it is no simple command. One that names fields must be: a `&` of a mask
// that no quotes hide would begin another command.
std::vector<std::string> shell_words(const std::string& line) {
  wordexp_t result;
  std::vector<std::string> words;
  const int code = wordexp(line.c_str(), &result, WRDE_NOCMD);
  const bool is_readable = code == 0 || line.find('=') == std::string::npos;
  CHECK_MESSAGE(is_readable, "no simple command: ", line);
  if (code != 0)
    return words;
  words.assign(result.we_wordv, result.we_wordv + result.we_wordc);
  wordfree(&result);
  return words;
}

// The fields and the model a command line names, without what else it asks for; nothing where arrays say the rest.
std::vector<std::string> problem_words(const std::vector<std::string>& words) {
  std::vector<std::string> problem;
  if (std::ranges::find(words, "--q") != words.end())
    return problem;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool is_field = !words[i].starts_with('-') && words[i].find('=') != std::string::npos;
    const bool is_option = words[i] == "--model" || words[i] == "--phase" || words[i] == "--seq";
    if (is_field || is_option)
      problem.push_back(words[i]);
    if (is_option && i + 1 < words.size())
      problem.push_back(words[++i]);
  }
  return problem;
}

// The line from the command's name on; "" where it is no command line.
std::string command_of(std::string line) {
  constexpr std::string_view built = "build/release/bin/";
  if (const std::size_t folder = line.find(built); folder != std::string::npos)
    line.erase(folder, built.size());
  const std::size_t begin = line.find_first_not_of(" $");
  if (begin == std::string::npos || !line.substr(begin).starts_with("attentune "))
    return "";
  return line.substr(begin);
}

// How many command lines of the text name a problem; each must be one that `problems` reads.
int check_commands(const TemporaryFolder& home, const std::string& text) {
  int commands = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::string command = command_of(line);
    if (command.empty())
      continue;
    std::vector<std::string> words = problem_words(shell_words(command));
    if (words.empty())
      continue;
    words.insert(words.begin(), "problems");
    const Finished finished = run_cli(home, words);
    CAPTURE(line);
    CHECK_MESSAGE(finished.code == 0, finished.err);
    ++commands;
  }
  return commands;
}

}  // namespace

TEST_CASE("the problems of the README's commands can be read") {
  const TemporaryFolder home;
  std::ostringstream text;
  text << std::ifstream(ATTENTUNE_SOURCE_DIR "/README.md").rdbuf();
  CHECK(check_commands(home, text.str()) >= 5);
}

TEST_CASE("the problems of the helps' examples can be read") {
  const TemporaryFolder home;
  int commands = 0;
  for (const char* command : {"tune", "run", "space", "generate", "compile", "bench", "verify", "problems"})
    commands += check_commands(home, run_cli(home, {command, "--help"}).out);
  CHECK(commands >= 8);
}
