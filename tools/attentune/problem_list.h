// From what the user typed to Problems.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "generator/workloads.h"
#include "tools/attentune/arguments.h"

namespace attentune {

// The fields one problem was given, before it is known to be whole: `run` fills what is missing from its arrays.
struct ProblemDraft {
  std::string origin;                         // "LIST:3", or "" for the command line
  std::string name;                           // "gemma-2-9b.local.prefill", or ""
  std::map<std::string, std::string> fields;  // field name -> value text
};

// Every problem the arguments name. Options such as --batch override what a list or model says; beside words they must
// name other fields. Throws RefusalError or Error(misuse); sentences about a list begin with "LIST:line".
[[nodiscard]] std::vector<ProblemDraft> problem_drafts(const ProblemArguments& arguments);
[[nodiscard]] NamedProblem finish(const ProblemDraft& draft);

// finish() of all. At least one; Error(misuse) when the user named none.
[[nodiscard]] std::vector<NamedProblem> problem_list(const ProblemArguments& arguments);

}  // namespace attentune
