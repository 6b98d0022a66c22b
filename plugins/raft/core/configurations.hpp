#pragma once

#include <proto/raftwire/configuration.hpp>

#include <cstdint>
#include <vector>

namespace switchyard::raft {

struct StoredConfiguration {
  std::uint64_t index = 0; ///< of its entry
  raftwire::Configuration configuration;
};

/// The configurations in the log from the last committed one on. One acts as soon as it is
/// appended, so the latest is what counts, and truncating the log brings an earlier one back.
class Configurations {
public:
  /// Without any entry the configuration is that of the snapshot, or nobody at index 0.
  explicit Configurations(StoredConfiguration base = {}) { stored_.push_back(std::move(base)); }

  [[nodiscard]] const raftwire::Configuration& latest() const noexcept {
    return stored_.back().configuration;
  }

  [[nodiscard]] std::uint64_t latest_index() const noexcept { return stored_.back().index; }

  /// The last one whose index is at most the commit index.
  [[nodiscard]] const StoredConfiguration& committed() const noexcept { return stored_.front(); }

  /// True if `id` has a vote in one that may count yet: any from the last committed one on.
  [[nodiscard]] bool may_vote(std::string_view id) const noexcept;

  /// How many come after `index`.
  [[nodiscard]] std::size_t count_after(std::uint64_t index) const noexcept;

  void append(std::uint64_t index, raftwire::Configuration configuration);

  /// Takes back what was appended from `index` on.
  void truncate(std::uint64_t index);

  /// Says that the commit index is `index` now.
  void commit(std::uint64_t index);

  /// Begins with `base`, of a snapshot up to `index`, and keeps what was appended after that.
  void rebase(StoredConfiguration base, std::uint64_t index);

private:
  std::vector<StoredConfiguration> stored_; ///< never empty, ascending
};

/// Votes that elect or commit: more than half of the voters. 0 without voters.
[[nodiscard]] std::size_t majority(const raftwire::Configuration& configuration) noexcept;

/// True if nobody but `id` has a vote.
[[nodiscard]] bool
sole_voter(const raftwire::Configuration& configuration, std::string_view id) noexcept;

} // namespace switchyard::raft
