#include <host/check/cases.hpp>
#include <host/check/check.hpp>

#include <chrono>
#include <utility>

namespace switchyard::host {

namespace {

using Clock = std::chrono::steady_clock;
using Case = void (*)(const PluginCheck&, const Examined&, CaseResult&);

struct NamedCase {
  std::string_view name;
  Case run;
  bool needs_protocol;
};

constexpr NamedCase kCases[] = {
    {"configurations", &try_configurations, false},
    {"life", &live_and_end, false},
    {"ends", &end_while_serving, true},
    {"connections", &come_and_go, true},
    {"nonsense", &talk_nonsense, true},
    {"swaps", &swap_often, false},
};

std::uint64_t since(Clock::time_point begun) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begun).count());
}

} // namespace

CheckReport
check_plugin(const PluginCheck& trial, const std::function<void(const CaseResult&)>& told) {
  CheckReport report;
  const auto over = [&](CaseResult result, Clock::time_point begun) {
    result.took_ms = since(begun);
    told(result);
    report.cases.push_back(std::move(result));
  };

  CaseResult file{.name = "file"};
  const auto begun = Clock::now();
  const auto plugin = examine_file(trial, file);
  over(std::move(file), begun);
  if (plugin) {
    report.id = plugin->manifest.id;
    report.version = plugin->manifest.version;
  }

  bool comes_up = plugin.has_value();
  for (const auto& each : kCases) {
    CaseResult result{.name = each.name};
    const auto at = Clock::now();
    if (!comes_up) {
      result.verdict = Verdict::Skipped;
      result.did = "no host would get so far with it";
    } else if (each.needs_protocol && plugin->manifest.protocols.empty()) {
      result.verdict = Verdict::Skipped;
      result.did = "it serves no protocol";
    } else {
      each.run(trial, *plugin, result);
      // What cannot even be started says the same thing in every case.
      if (each.run == &try_configurations || each.run == &live_and_end)
        comes_up = result.verdict == Verdict::Passed;
    }
    over(std::move(result), at);
  }
  return report;
}

} // namespace switchyard::host
