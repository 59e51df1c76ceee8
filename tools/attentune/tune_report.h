// TuneReport: what a person or a program sees while `attentune tune` works.
#pragma once

#include <string>

#include "tools/attentune/result.h"
#include "tuner/tuner.h"

namespace attentune {

class TuneReport {
 public:
  enum class Style { json, plain, terminal };

  // verbose: a row for every candidate.
  TuneReport(Style style, bool verbose, double flop) : style_(style), verbose_(verbose), flop_(flop) {}

  // A line that is rewritten in place on a terminal; elsewhere one line every few seconds.
  void progress(const TuneProgress& progress);
  // The end of one problem. Exits of the command depend on the winner alone, not on this.
  void finish(const Problem& problem, const std::string& name, const std::string& device, const TuneResult& result);

 private:
  void candidate_row(const Measurement& measurement);
  void clear_line();
  void summary(const Winner& winner, const TuneResult& result);

  Style style_;
  bool verbose_;
  double flop_;
  bool headed_ = false;
  bool dirty_ = false;  // something stands in the line that will be rewritten
  double last_line_s_ = 0;
};

// One line: "candidates 12/200  3.1/s  best 1.23 ms (1.41x default)  0:12 elapsed, 0:48 left".
[[nodiscard]] std::string progress_text(const TuneProgress& progress);
// What JSON says of it: event "progress", or "candidate" when there is a last Measurement.
[[nodiscard]] std::string progress_json(const TuneProgress& progress);

}  // namespace attentune
