#include <plugins/raft/core/term_runs.hpp>

#include <boost/assert.hpp>

#include <algorithm>

namespace switchyard::raft {

std::uint64_t TermRuns::last_term() const noexcept {
  return runs_.empty() ? base_term_ : runs_.back().term;
}

std::optional<std::uint64_t> TermRuns::term(std::uint64_t index) const noexcept {
  if (index == base_index_) return base_term_;
  if (index < base_index_ || index > last_index()) return std::nullopt;
  const auto after = std::ranges::upper_bound(runs_, index, {}, &Run::first);
  return std::prev(after)->term;
}

void TermRuns::append(std::uint64_t term) {
  ++size_;
  if (runs_.empty() || runs_.back().term != term) runs_.push_back({last_index(), term});
}

void TermRuns::truncate(std::uint64_t index) {
  BOOST_ASSERT(index > base_index_);
  if (index > last_index()) return;
  size_ = index - 1 - base_index_;
  while (!runs_.empty() && runs_.back().first >= index)
    runs_.pop_back();
}

void TermRuns::compact(std::uint64_t index) {
  const auto term_there = term(index);
  BOOST_ASSERT(term_there);
  const auto last = last_index();
  if (index == last) {
    runs_.clear();
  } else {
    const auto after = std::ranges::upper_bound(runs_, index + 1, {}, &Run::first);
    runs_.erase(runs_.begin(), std::prev(after));
    runs_.front().first = index + 1;
  }
  base_index_ = index;
  base_term_ = *term_there;
  size_ = last - index;
}

} // namespace switchyard::raft
