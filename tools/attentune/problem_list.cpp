#include "tools/attentune/problem_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "generator/error.h"
#include "generator/text.h"

namespace attentune {
namespace {

constexpr std::string_view how_to_name =
    "give field=value words such as `dtype=f32 heads=8 head_dim=64 seq=1024`, --file LIST or --model NAME";

// A list longer than this is a mistake (a tensor given as --file), not a workload.
constexpr std::size_t longest_list_bytes = std::size_t{64} << 20;

std::map<std::string, std::string> fields_of(std::string_view line) {
  std::map<std::string, std::string> fields;
  for (Word& word : split_fields(line, "problem"))
    if (!fields.emplace(word.name, std::move(word.value)).second)
      throw RefusalError({word.name, fields[word.name], "the field is given twice", "give it once"});
  return fields;
}

[[noreturn]] void refuse_twice(const std::string& field, const std::string& value) {
  throw RefusalError({field, shown(value), "the field is given twice", "give it once, as an option or as a word"});
}

Error at(const std::string& origin, const Error& error) {
  return {error.status(), origin.empty() ? error.what() : fmt::format("{}: {}", origin, error.what())};
}

std::vector<ProblemDraft> from_words(const std::vector<std::string>& words) {
  std::vector<ProblemDraft> drafts;
  drafts.reserve(words.size());
  for (const std::string& word : words)
    drafts.push_back({.origin = "", .name = "", .fields = fields_of(word)});
  // One field each is one problem, as a shell splits it; else each argument is a whole problem.
  const auto is_line = [](const ProblemDraft& draft) { return draft.fields.size() > 1; };
  if (std::ranges::any_of(drafts, is_line))
    return drafts;
  ProblemDraft whole;
  for (const ProblemDraft& draft : drafts)
    for (const auto& [field, value] : draft.fields)
      if (!whole.fields.emplace(field, value).second)
        throw RefusalError({field, value, "the field is given twice", "quote each problem to give several"});
  return {whole};
}

std::string read_list(const std::string& path) {
  if (path == "-")
    return {std::istreambuf_iterator<char>(std::cin), {}};
  std::error_code error;
  const bool regular = !std::filesystem::is_directory(path, error);
  std::ifstream file(path, std::ios::binary);
  if (!regular || !file)
    throw Error(Status::misuse, fmt::format("--file {} cannot be read; name a text file with a problem a line", path));
  std::string text;
  text.resize(longest_list_bytes + 1);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > longest_list_bytes)
    throw Error(Status::misuse, fmt::format("--file {} is over 64 MiB; name a text file with a problem a line", path));
  return text;
}

std::vector<ProblemDraft> from_file(const std::string& path) {
  const std::string text = read_list(path);
  std::vector<ProblemDraft> drafts;
  std::size_t begin = 0;
  for (int number = 1; begin <= text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    line = line.substr(0, line.find('#'));
    if (!line.empty() && line.back() == '\r')
      line.remove_suffix(1);
    if (line.find_first_not_of(" \t") == std::string_view::npos)
      continue;
    const std::string origin = fmt::format("{}:{}", path == "-" ? "standard input" : path, number);
    try {
      drafts.push_back({.origin = origin, .name = "", .fields = fields_of(line)});
    } catch (const Error& error) {
      throw at(origin, error);
    }
  }
  if (drafts.empty())
    throw Error(Status::misuse, fmt::format("--file {} names no problem; write one a line", path));
  return drafts;
}

std::vector<ProblemDraft> from_model(const ProblemArguments& arguments, std::map<std::string, std::string>& overrides) {
  std::optional<Phase> phase;
  if (!arguments.phase.empty()) {
    phase = parse_phase(arguments.phase);
    if (!phase)
      throw RefusalError({"phase", shown(arguments.phase), "it is no known phase", "use prefill or decode"});
  }
  // seq is the workload's length, not a field to override: decode makes 1/N of it.
  std::optional<std::int64_t> seq;
  if (const auto given = overrides.find("seq"); given != overrides.end()) {
    seq = parse_number<std::int64_t>(given->second);
    if (!seq)
      throw RefusalError({"seq", shown(given->second), "with --model it must be one whole number", "use --seq 4096"});
    overrides.erase(given);
  }
  std::vector<ProblemDraft> drafts;
  for (const NamedProblem& each : workload_problems(arguments.model, seq, phase))
    drafts.push_back({.origin = "", .name = each.name, .fields = fields_of(to_text(each.problem))});
  return drafts;
}

std::string quoted(const std::string& value) {
  const bool bare = value.find_first_of(" \t'\"") == std::string::npos && !value.empty();
  if (bare)
    return value;
  return value.find('"') == std::string::npos ? fmt::format("\"{}\"", value) : fmt::format("'{}'", value);
}

}  // namespace

std::vector<ProblemDraft> problem_drafts(const ProblemArguments& arguments) {
  if (!arguments.file.empty() && !arguments.model.empty())
    throw Error(Status::misuse, "--file and --model both name problems; give one of them");
  if (!arguments.phase.empty() && arguments.model.empty())
    throw Error(Status::misuse, "--phase belongs to --model; add --model NAME");
  std::map<std::string, std::string> overrides = arguments.fields;
  std::vector<ProblemDraft> drafts;
  if (arguments.file.empty() && arguments.model.empty()) {
    drafts = arguments.words.empty() ? std::vector<ProblemDraft>(1) : from_words(arguments.words);
    for (const ProblemDraft& draft : drafts)
      for (const auto& [field, value] : overrides)
        if (draft.fields.contains(field))
          refuse_twice(field, value);
  } else {
    for (const std::string& word : arguments.words)
      for (const auto& [field, value] : fields_of(word))
        if (!overrides.emplace(field, value).second)
          refuse_twice(field, value);
    drafts = arguments.model.empty() ? from_file(arguments.file) : from_model(arguments, overrides);
  }
  for (ProblemDraft& draft : drafts)
    for (const auto& [field, value] : overrides)
      draft.fields[field] = value;
  return drafts;
}

NamedProblem finish(const ProblemDraft& draft) {
  std::string text;
  for (const auto& [field, value] : draft.fields)
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", field, quoted(value));
  try {
    return {.name = draft.name, .problem = parse_problem(text)};
  } catch (const Error& error) {
    throw at(draft.origin, error);
  }
}

std::vector<NamedProblem> problem_list(const ProblemArguments& arguments) {
  if (arguments.empty())
    throw Error(Status::misuse, fmt::format("no problem is given; {}", how_to_name));
  std::vector<NamedProblem> problems;
  for (const ProblemDraft& draft : problem_drafts(arguments))
    problems.push_back(finish(draft));
  return problems;
}

}  // namespace attentune
