#include "tools/attentune/tune_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "generator/key.h"
#include "tools/attentune/output.h"
#include "tools/attentune/quantity.h"

namespace attentune {
namespace {

using Json = nlohmann::ordered_json;

// Without a terminal a line this often shows life without filling a log.
constexpr double plain_interval_s = 5;

std::string_view name(TuneProgress::Stage stage) {
  switch (stage) {
    case TuneProgress::Stage::prepare:
      return "prepare";
    case TuneProgress::Stage::candidate:
      return "candidate";
    case TuneProgress::Stage::final_round:
      return "final";
    case TuneProgress::Stage::done:
      return "done";
  }
  return "";
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

std::string progress_text(const TuneProgress& progress) {
  if (progress.stage == TuneProgress::Stage::prepare)
    return "preparing: references for verification, first compilation";
  std::string text = progress.stage == TuneProgress::Stage::final_round
                         ? std::string("final round")
                         : fmt::format("candidates {}/{}", progress.tried, progress.planned);
  text += fmt::format("  {:.1f}/s", progress.rate);
  if (progress.best_ms > 0) {
    text += fmt::format("  best {}", format_ms(progress.best_ms));
    if (progress.default_ms > 0)
      text += fmt::format(" ({:.2f}x default)", progress.default_ms / progress.best_ms);
  }
  return text + fmt::format("  {} elapsed, {} left", format_clock(progress.elapsed_s), format_clock(progress.eta_s));
}

std::string progress_json(const TuneProgress& progress) {
  Json line{{"event", progress.last ? "candidate" : "progress"},
            {"stage", name(progress.stage)},
            {"tried", progress.tried},
            {"planned", progress.planned},
            {"elapsed_s", progress.elapsed_s},
            {"rate", progress.rate},
            {"eta_s", progress.eta_s},
            {"best_ms", progress.best_ms > 0 ? Json(progress.best_ms) : Json()},
            {"default_ms", progress.default_ms > 0 ? Json(progress.default_ms) : Json()},
            {"best_config", progress.best_config}};
  if (progress.last) {
    const Measurement& last = *progress.last;
    line["family"] = last.family;
    line["config"] = last.config;
    line["outcome"] = attentune::name(last.outcome);
    line["time_ms"] = last.outcome == Outcome::ok ? Json(last.time_ms) : Json();
    line["spread"] = last.spread;
    line["error"] = last.error;
    line["verified"] = last.verified;
    line["detail"] = last.detail;
  }
  return line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

void TuneReport::clear_line() {
  if (dirty_)
    write_error("\r\x1b[K");
  dirty_ = false;
}

void TuneReport::candidate_row(const Measurement& measurement) {
  clear_line();
  if (!headed_)
    fmt::print("{:>10} {:>10} {:>8}  {:<14} {}\n", "run", "GFLOP/s", "spread", "status", "config");
  headed_ = true;
  const bool timed = measurement.outcome == Outcome::ok && measurement.time_ms > 0;
  fmt::print("{:>10} {:>10} {:>8}  {:<14} {}\n", timed ? format_ms(measurement.time_ms) : "-",
             timed ? fmt::format("{:.1f}", flop_ / (measurement.time_ms * 1e6)) : "-",
             timed ? fmt::format("{:.1f} %", measurement.spread * 100) : "-", attentune::name(measurement.outcome),
             measurement.config);
  if (measurement.outcome != Outcome::ok && !measurement.detail.empty())
    fmt::print("{:>32}{}\n", "", first_line(measurement.detail));
  std::fflush(stdout);
}

void TuneReport::progress(const TuneProgress& progress) {
  if (style_ == Style::json) {
    fmt::print("{}", progress_json(progress));
    std::fflush(stdout);
    return;
  }
  if (verbose_ && progress.last)
    candidate_row(*progress.last);
  if (progress.stage == TuneProgress::Stage::done)
    return;
  if (style_ == Style::terminal) {
    // Cut to a usual width: a line that wraps cannot be rewritten.
    write_error(fmt::format("\r{:.110}\x1b[K", progress_text(progress)));
    dirty_ = true;
  } else if (progress.elapsed_s - last_line_s_ >= plain_interval_s) {
    last_line_s_ = progress.elapsed_s;
    write_error(progress_text(progress) + "\n");
  }
}

void TuneReport::summary(const Winner& winner, const TuneResult& result) {
  const Measurement& best = winner.measurement;
  fmt::print("best     {:>10}  {:>14}  {}\n", format_ms(best.time_ms), format_rate(flop_ / (best.time_ms * 1e-3)),
             best.config);
  if (winner.default_ms > 0)
    fmt::print("default  {:>10}  {:>14}  the best is {:.2f} times as fast\n", format_ms(winner.default_ms),
               format_rate(flop_ / (winner.default_ms * 1e-3)), winner.default_ms / best.time_ms);
  fmt::print("verified, error {:.2f} of the bound; {} candidates{}{}; stored for {}\n", best.error, result.tried,
             result.resumed ? ", some from an earlier tune" : "", result.cancelled ? ", stopped early" : "",
             winner.bucket_text);
}

void TuneReport::finish(const Problem& problem, const std::string& workload, const std::string& device,
                        const TuneResult& result) {
  clear_line();
  if (style_ == Style::json) {
    Result line;
    line.problem = to_text(problem);
    line.name = workload;
    line.device = device;
    if (result.winner) {
      const Measurement& best = result.winner->measurement;
      line.family = best.family;
      line.config = best.config;
      line.trust = attentune::name(Trust::verified_here);
      line.provenance = attentune::name(Provenance::exact_bucket);
      set_time(line, problem, best.time_ms, best.spread);
      line.error = best.error;
    }
    fmt::print("{}", json_line(line, "result"));
  } else if (result.winner) {
    summary(*result.winner, result);
  }
  flush_output();
}

}  // namespace attentune
