#include "sampler.hpp"

#include <iterator>
#include <utility>

namespace switchyard::host {
namespace {

constexpr std::string_view kOther = "other";
constexpr std::chrono::seconds kSecond{1};

} // namespace

Sampler::Second& Sampler::second_of(std::string_view kind, Clock::time_point now) {
  if (const auto known = kinds_.find(kind); known != kinds_.end()) return known->second;
  if (kinds_.size() >= kinds_max_) kind = kOther;
  return kinds_.try_emplace(std::string{kind}, Second{now}).first->second;
}

bool Sampler::admit(std::string_view kind, Clock::time_point now) {
  auto& second = second_of(kind, now);
  if (now - second.begin >= kSecond) {
    second.begin = now;
    second.admitted = 0;
    second.untold += std::exchange(second.held_back, 0);
  }
  if (second.admitted == lines_max_) {
    ++second.held_back;
    return false;
  }
  ++second.admitted;
  return true;
}

std::vector<Sampler::Suppressed> Sampler::suppressed(Clock::time_point now) {
  std::vector<Suppressed> all;
  for (auto kind = kinds_.begin(); kind != kinds_.end();) {
    auto& second = kind->second;
    const bool over = now - second.begin >= kSecond;
    if (over) second.untold += std::exchange(second.held_back, 0);
    if (second.untold != 0) all.push_back({kind->first, std::exchange(second.untold, 0)});
    kind = over ? kinds_.erase(kind) : std::next(kind);
  }
  return all;
}

} // namespace switchyard::host
