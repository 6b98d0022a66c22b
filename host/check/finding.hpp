#pragma once

#include <host/config/isolation.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace switchyard::host {

/// What `plugin check` is to do.
struct PluginCheck {
  std::string file;
  std::string config = "{}";         ///< JSON object
  std::vector<std::string> with{};   ///< other plugins that it needs, files
  std::uint32_t swaps = 1'000;       ///< how often it is replaced by itself
  std::uint32_t connections = 2'000; ///< well and badly behaved ones, in all
  std::uint64_t seed = 1;            ///< of what they say
  Isolation isolation = Isolation::None;
};

enum class Verdict : std::uint8_t { Passed, Found, Skipped };

/// How one case went. A finding and a note are one sentence each: what, where, and what to do.
struct CaseResult {
  std::string_view name;
  Verdict verdict = Verdict::Passed;
  std::string did{};                   ///< a clause: "1000 swaps"; or why it was skipped
  std::vector<std::string> findings{}; ///< what a host must not be given
  std::vector<std::string> notes{};    ///< what its author should know
  std::uint64_t took_ms = 0;

  void find(std::string sentence) {
    verdict = Verdict::Found;
    findings.push_back(std::move(sentence));
  }
};

struct CheckReport {
  std::string id; ///< empty when its manifest could not be read
  std::string version;
  std::vector<CaseResult> cases;

  [[nodiscard]] std::size_t findings() const noexcept {
    std::size_t sum = 0;
    for (const auto& each : cases)
      sum += each.findings.size();
    return sum;
  }
};

} // namespace switchyard::host
