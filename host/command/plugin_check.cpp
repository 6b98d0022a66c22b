#include "author.hpp"
#include "report.hpp"

#include <host/check/check.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cstdio>
#include <utility>

namespace switchyard::host {

namespace json = boost::json;

namespace {

constexpr std::uint32_t kQuickSwaps = 20;
constexpr std::uint32_t kQuickConnections = 200;

std::string_view word(Verdict verdict) {
  switch (verdict) {
  case Verdict::Passed: return "passed";
  case Verdict::Found: return "FOUND";
  case Verdict::Skipped: return "skipped";
  }
  return "";
}

void print_case(const CaseResult& result) {
  std::printf(
      "%-15s %-8.*s %6.1f s  %s\n",
      std::string{result.name}.c_str(),
      static_cast<int>(word(result.verdict).size()),
      word(result.verdict).data(),
      static_cast<double>(result.took_ms) / 1000,
      result.did.c_str());
  for (const auto& sentence : result.findings)
    std::printf("  finding: %s\n", sentence.c_str());
  for (const auto& sentence : result.notes)
    std::printf("  note: %s\n", sentence.c_str());
  std::fflush(stdout); // the next case takes its time
}

json::object to_json(const CheckOrder& order, const CheckReport& report) {
  json::array cases;
  for (const auto& result : report.cases) {
    cases.push_back(json::object{
        {"name", result.name},
        {"verdict", result.verdict == Verdict::Found ? "found" : word(result.verdict)},
        {"did", result.did},
        {"findings", json::array(result.findings.begin(), result.findings.end())},
        {"notes", json::array(result.notes.begin(), result.notes.end())},
        {"took_ms", result.took_ms}});
  }
  return {
      {"file", order.file},
      {"id", report.id},
      {"version", report.version},
      {"passed", report.findings() == 0},
      {"findings", report.findings()},
      {"seed", order.seed},
      {"cases", std::move(cases)}};
}

} // namespace

ExitCode plugin_check(const CheckOrder& order) {
  PluginCheck trial{
      .file = order.file,
      .config = order.config,
      .with = order.with,
      .seed = order.seed,
      .isolation = order.isolation};
  if (order.quick) {
    trial.swaps = kQuickSwaps;
    trial.connections = kQuickConnections;
  }
  if (order.swaps != 0) trial.swaps = order.swaps;
  const auto as_text = order.output == Output::Text;
  const auto result = check_plugin(trial, [as_text](const CaseResult& each) {
    if (as_text) print_case(each);
  });
  const auto findings = result.findings();
  if (!as_text) {
    print(to_json(order, result));
  } else if (findings == 0) {
    print("\n" + order.file + ": no findings\n");
  } else {
    print(
        "\n" + order.file + ": " + std::to_string(findings) +
        (findings == 1 ? " finding\n" : " findings\n"));
  }
  return findings == 0 ? kDone : kFailed;
}

} // namespace switchyard::host
