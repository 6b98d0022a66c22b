#pragma once

#include <cstdint>
#include <string_view>

namespace switchyard::raftwire {

/// What this code speaks, and the oldest it answers. Source: hashicorp/raft config.go.
inline constexpr std::int64_t kProtocolVersion = 3;
inline constexpr std::int64_t kProtocolVersionMin = 2;

/// Answered, without a map, to a request of another version.
inline constexpr std::string_view kUnsupportedVersion =
    "operation not supported with current protocol version";

/// Answered to a request that the node does not know; to a pre-vote it counts as a yes.
inline constexpr std::string_view kUnexpectedCommand = "unexpected command";

/// Which of the two headers a message has.
enum class HeaderForm : std::uint8_t {
  Old, ///< ProtocolVersion alone: hashicorp/raft before 1.3
  New, ///< ID and Addr of the sender as well
};

/// What every message begins with. Its fields lie in the map of the message itself.
/// The views point into the bytes it was read from.
struct Header {
  std::int64_t version = kProtocolVersion;
  HeaderForm form = HeaderForm::New;
  std::string_view id{};
  std::string_view address{};

  /// Old nodes leave the header of some answers zero, so only requests are to be asked this.
  [[nodiscard]] bool supported() const noexcept {
    return version >= kProtocolVersionMin && version <= kProtocolVersion;
  }

  friend bool operator==(const Header&, const Header&) = default;
};

} // namespace switchyard::raftwire
