#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace switchyard::http2 {

/// Who sends.
enum class Side : std::uint8_t { Client, Server };

/// Which streams are open, and which side may still send on them: four bytes a stream. Knows
/// nothing of idle and closed streams. Only ids that a client may use: odd ones.
class Streams {
public:
  /// `stream` must be above all that were opened before.
  void open(std::uint32_t stream);

  /// True while `side` has neither ended nor reset `stream`, which is open.
  [[nodiscard]] bool sends(std::uint32_t stream, Side side) const noexcept;

  /// Ends what `side` sends on `stream`; once both have, the stream is gone. False when it could
  /// not send any more.
  bool end(std::uint32_t stream, Side side);

  /// Drops `stream` in both directions, if it is open.
  void reset(std::uint32_t stream);

  [[nodiscard]] std::size_t count() const noexcept { return entries_.size(); }

private:
  using Entries = std::vector<std::uint32_t>;

  [[nodiscard]] Entries::iterator find(std::uint32_t stream) noexcept;
  void erase(Entries::iterator);

  Entries entries_; ///< ascending; the id without its lowest bit, then what each side has ended
};

} // namespace switchyard::http2
