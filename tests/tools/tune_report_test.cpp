#include "tools/attentune/tune_report.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace attentune;

namespace {

TuneProgress in_the_middle() {
  TuneProgress progress;
  progress.stage = TuneProgress::Stage::candidate;
  progress.tried = 12;
  progress.planned = 200;
  progress.elapsed_s = 12;
  progress.rate = 3.14;
  progress.eta_s = 75;
  progress.best_ms = 1.23;
  progress.default_ms = 2.46;
  progress.best_config = "tile_m=64";
  return progress;
}

}  // namespace

TEST_CASE("the line on a terminal says rate, best so far, time taken and time left") {
  TuneProgress progress = in_the_middle();
  CHECK(progress_text(progress) == "candidates 12/200  3.1/s  best 1.23 ms (2.00x default)  0:12 elapsed, 1:15 left");
  progress.default_ms = 0;
  CHECK(progress_text(progress) == "candidates 12/200  3.1/s  best 1.23 ms  0:12 elapsed, 1:15 left");
  progress.best_ms = 0;
  CHECK(progress_text(progress) == "candidates 12/200  3.1/s  0:12 elapsed, 1:15 left");
  progress.stage = TuneProgress::Stage::final_round;
  CHECK(progress_text(progress) == "final round  3.1/s  0:12 elapsed, 1:15 left");
  progress.stage = TuneProgress::Stage::prepare;
  CHECK(progress_text(progress).starts_with("preparing"));
}

TEST_CASE("progress in JSON has the same numbers, and the candidate there was") {
  TuneProgress progress = in_the_middle();
  auto line = nlohmann::json::parse(progress_json(progress));
  CHECK(line.at("event") == "progress");
  CHECK(line.at("tried") == 12);
  CHECK(line.at("rate") == 3.14);
  CHECK(line.at("eta_s") == 75);
  CHECK(line.at("best_ms") == 1.23);
  CHECK_FALSE(line.contains("outcome"));

  progress.best_ms = 0;
  Measurement& last = progress.last.emplace();
  last.config = "tile_m=32";
  last.outcome = Outcome::refused;
  last.detail = "ptxas says no";
  line = nlohmann::json::parse(progress_json(progress));
  CHECK(line.at("event") == "candidate");
  CHECK(line.at("best_ms").is_null());
  CHECK(line.at("outcome") == "refused");
  CHECK(line.at("time_ms").is_null());
  CHECK(line.at("detail") == "ptxas says no");
}
