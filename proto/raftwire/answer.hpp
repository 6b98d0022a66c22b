#pragma once

#include <proto/msgpack/extent.hpp>
#include <proto/raftwire/limits.hpp>

#include <boost/system/result.hpp>

#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace switchyard::raftwire {

/// An answer that has arrived whole. What it answers is known from its place in the order.
struct AnswerFrame {
  std::string_view error;            ///< empty when there is none
  std::span<const std::byte> object; ///< the map, or nil
  std::size_t size = 0;              ///< bytes on the wire: the next answer begins there
};

/// Finds the end of one answer while it arrives. One for each answer. No allocation.
class AnswerExtent {
public:
  explicit AnswerExtent(const Limits& limits = {}) noexcept
      : error_{limits.object}, value_{limits.object} {}

  /// Goes on where the last call stopped. `bytes` begins at the error text and is never shorter
  /// than before. Nullopt while the end has not arrived. Fails with a msgpack::Error.
  [[nodiscard]] boost::system::result<std::optional<AnswerFrame>>
  scan(std::span<const std::byte> bytes) noexcept;

private:
  msgpack::Extent error_;
  msgpack::Extent value_;
};

/// Appends an answer that is an error text and nothing else. `error` is not empty.
void append_error(std::vector<std::byte>& out, std::string_view error);

} // namespace switchyard::raftwire
