#pragma once

#include <host/plugin/file_descriptor.hpp>
#include <host/plugin/manifest.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace switchyard::host {

/// Bytes and descriptors that an exclusive plugin can hand over at most.
inline constexpr std::size_t kStateSizeMax = std::size_t{64} << 20U;
inline constexpr std::size_t kStateDescriptorsMax = 16;

/// What a quiesced instance has written for the one that goes on.
struct HandedOver {
  std::uint32_t version = 0; ///< its format
  std::string data;
  std::vector<FileDescriptor> descriptors; ///< duplicates
};

/// The newest format that `from` writes and `to` reads; nothing when there is none. Pure.
[[nodiscard]] std::optional<std::uint32_t>
common_format(const StateFormats& from, const StateFormats& to);

} // namespace switchyard::host
