// attentune cache: what the Store holds.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "generator/error.h"
#include "generator/text.h"
#include "runtime/rendering.h"
#include "tools/attentune/command.h"
#include "tools/attentune/output.h"
#include "tools/attentune/quantity.h"
#include "tools/attentune/session.h"

namespace attentune {
namespace {

using Json = nlohmann::ordered_json;

std::string short_key(const std::string& key) { return key.substr(0, 12); }

// A first `cache list` is no failure: there is just nothing yet.
bool nothing_stored(const Arguments& arguments) {
  std::error_code error;
  const std::string path = store_path_of(arguments);
  if (!arguments.store.empty() || std::filesystem::exists(path, error))
    return false;
  write_error(fmt::format("nothing is stored yet at {}; `attentune tune` makes the first entry\n", path));
  return true;
}

// "current" or "stale" for this machine's Winners; others can only be judged where they were measured.
std::string_view state_of(const Winner& winner, const Device& device) {
  if (winner.measurement.device != to_text(device.identity()))
    return "elsewhere";
  return is_current(winner, render(winner, parse_problem(winner.measurement.problem), device.arch(), device.compiler()))
             ? "current"
             : "stale";
}

int list(const Store& store, const Device& device, bool json) {
  Table table({"key", "run", "vs default", "state", "problem", "config"});
  for (const Winner& winner : store.winners()) {
    const Measurement& best = winner.measurement;
    const std::string_view state = state_of(winner, device);
    if (json)
      print_json({{"event", "winner"},
                  {"key", best.binary_key},
                  {"class", winner.class_text},
                  {"bucket", winner.bucket_text},
                  {"device", best.device},
                  {"problem", best.problem},
                  {"family", best.family},
                  {"config", best.config},
                  {"state", state},
                  {"time_ms", best.time_ms},
                  {"default_ms", winner.default_ms},
                  {"error", best.error}});
    table.add({short_key(best.binary_key), format_ms(best.time_ms),
               winner.default_ms > 0 ? fmt::format("{:.2f}x", winner.default_ms / best.time_ms) : "-",
               std::string(state), best.problem, best.config});
  }
  const StoreStats stats = store.stats();
  if (!json)
    fmt::print("{}{}, {}, {}, {}, {} in {}\n", table.empty() ? "" : table.text(),
               format_count(stats.winners, "winner", "winners"),
               format_count(stats.measurements, "measurement", "measurements"),
               format_count(stats.binaries, "binary", "binaries"), format_count(stats.misses, "miss", "misses"),
               format_bytes(static_cast<double>(stats.file_bytes)), store.path());
  return 0;
}

bool names(const StoredMeasurement& row, const std::string& subject) {
  return fmt::format("{}", row.id) == subject || row.measurement.binary_key.rfind(subject, 0) == 0;
}

void show_measurement(const StoredMeasurement& row, bool json) {
  const Measurement& m = row.measurement;
  if (json) {
    Json line = Json::parse(to_text(m));
    line["event"] = "measurement";
    line["id"] = row.id;
    line["measured_at"] = row.measured_at;
    print_json(line);
    return;
  }
  fmt::print("measurement {} of {:%Y-%m-%d %H:%M:%S} UTC\n", row.id, fmt::gmtime(static_cast<time_t>(row.measured_at)));
  fmt::print("  problem    {}\n  config     {} {}\n  device     {}\n", m.problem, m.family, m.config, m.device);
  fmt::print("  outcome    {}{}{}\n", name(m.outcome), m.detail.empty() ? "" : ": ", m.detail);
  if (m.time_ms > 0)
    fmt::print("  time       {}, spread {:.1f} %, {} samples{}\n", format_ms(m.time_ms), m.spread * 100, m.repeats,
               m.in_final ? ", in the final" : "");
  fmt::print("  error      {:.2f} of the bound, {}\n", m.error, m.verified ? "verified" : "not verified");
  fmt::print("  binary     {}\n", m.binary_key);
}

int show(const Store& store, const std::string& subject, bool json) {
  if (subject.empty())
    throw Error(Status::misuse, "`cache show` needs a key; `attentune cache list` prints them");
  int found = 0;
  std::string key;
  for (const StoredMeasurement& row : store.measurements()) {
    if (!names(row, subject))
      continue;
    ++found;
    key = row.measurement.binary_key;
    show_measurement(row, json);
  }
  for (const StoredBinary& binary : store.binaries())
    if (found == 0 && binary.key.rfind(subject, 0) == 0)
      key = binary.key;
  if (key.empty())
    throw Error(Status::misuse, fmt::format("nothing in {} is called {}; `attentune cache list` prints the keys",
                                            store.path(), shown(subject)));
  const auto binary = store.load_binary(key);
  const auto source = store.load_source(key);
  if (json)
    print_json({{"event", "binary"},
                {"key", key},
                {"bytes", binary ? Json(binary->object.size()) : Json()},
                {"compiler", binary ? Json(binary->compiler) : Json()},
                {"source", source ? Json(*source) : Json()}});
  else if (source)
    fmt::print("source of {}\n{}", short_key(key), *source);
  return 0;
}

int misses(const Store& store, bool json) {
  for (const auto& miss : store.misses()) {
    if (json)
      print_json({{"event", "miss"},
                  {"problem", miss.problem},
                  {"count", miss.count},
                  {"device", miss.device},
                  {"command", miss.command}});
    else
      fmt::print("{}  # asked for {} time(s)\n", miss.command, miss.count);
  }
  return 0;
}

int verify(Store& store, bool json) {
  const VerifyReport report = store.verify(false);
  if (json)
    print_json({{"event", "verify"},
                {"sound", report.sound()},
                {"binaries_checked", report.binaries_checked},
                {"problems", report.problems},
                {"corrupt_binaries", report.corrupt_binaries},
                {"corrupt_before", report.corrupt_before}});
  else
    fmt::print("{}: {} checked, {}, {} corrupt\n", store.path(),
               format_count(report.binaries_checked, "binary", "binaries"),
               format_count(std::ssize(report.problems), "problem", "problems"), report.corrupt_binaries.size());
  flush_output();
  for (const std::string& problem : report.problems)
    complain(problem + "; `attentune tune` sets a damaged Store aside and begins a new one");
  for (const std::string& key : report.corrupt_binaries)
    complain(
        fmt::format("binary {} does not match its hash; it is compiled again when it is next needed", short_key(key)));
  return report.sound() ? 0 : 1;
}

int prune(Store& store, const Arguments& arguments) {
  if (arguments.size_bytes < 0)
    throw Error(Status::misuse, "`cache prune` needs --size, what may remain; for example --size 200M");
  const PruneReport report = store.prune(arguments.size_bytes);
  if (arguments.json)
    print_json({{"event", "prune"},
                {"bytes_before", report.bytes_before},
                {"bytes_after", report.bytes_after},
                {"evicted", report.evicted}});
  else
    fmt::print(
        "{} dropped: {} -> {}; winners and measurements stay\n", format_count(report.evicted, "binary", "binaries"),
        format_bytes(static_cast<double>(report.bytes_before)), format_bytes(static_cast<double>(report.bytes_after)));
  return 0;
}

}  // namespace

int run_cache(const Arguments& arguments) {
  const std::string& action = arguments.action;
  if (action != "list" && action != "show" && action != "misses" && action != "verify" && action != "prune")
    throw Error(Status::misuse,
                fmt::format("'{}' is no action of cache; use list, show, misses, verify or prune", shown(action)));
  if (action != "show" && !arguments.subject.empty())
    throw Error(Status::misuse, fmt::format("`cache {}` takes no '{}'; leave it out, or use `cache show {}`", action,
                                            shown(arguments.subject), shown(arguments.subject)));
  if (action != "prune" && arguments.size_bytes >= 0)
    throw Error(Status::misuse, fmt::format("`cache {}` takes no --size; leave it out, or use `cache prune`", action));
  if (action == "prune")
    return prune(*store_of(arguments, StoreMode::read_write), arguments);
  if (nothing_stored(arguments))
    return 0;
  const auto store = store_of(arguments, StoreMode::read_only);
  if (action == "list")
    return list(*store, *device_of(arguments), arguments.json);
  if (action == "show")
    return show(*store, arguments.subject, arguments.json);
  return action == "misses" ? misses(*store, arguments.json) : verify(*store, arguments.json);
}

}  // namespace attentune
