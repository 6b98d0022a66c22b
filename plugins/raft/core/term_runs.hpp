#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace switchyard::raft {

/// The terms of all entries of a log, without the entries: one element for each run of equal terms.
class TermRuns {
public:
  TermRuns() = default;

  /// An empty log behind the entry of `index` and `term`.
  TermRuns(std::uint64_t index, std::uint64_t term) : base_index_{index}, base_term_{term} {}

  /// The index before the first entry; its term is known, the entry itself is gone.
  [[nodiscard]] std::uint64_t base_index() const noexcept { return base_index_; }

  [[nodiscard]] std::uint64_t last_index() const noexcept { return base_index_ + size_; }

  [[nodiscard]] std::uint64_t last_term() const noexcept;

  /// The term at `index`, from base_index() to last_index(); nullopt elsewhere.
  [[nodiscard]] std::optional<std::uint64_t> term(std::uint64_t index) const noexcept;

  /// Adds an entry at last_index() + 1.
  void append(std::uint64_t term);

  /// Forgets the entries from `index`, which is above base_index().
  void truncate(std::uint64_t index);

  /// Forgets the entries up to `index`, which lies between base_index() and last_index().
  void compact(std::uint64_t index);

private:
  struct Run {
    std::uint64_t first;
    std::uint64_t term;
  };

  std::uint64_t base_index_ = 0;
  std::uint64_t base_term_ = 0;
  std::uint64_t size_ = 0;
  std::vector<Run> runs_; ///< ascending; the last one reaches to the end
};

} // namespace switchyard::raft
