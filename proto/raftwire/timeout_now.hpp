#pragma once

#include <proto/raftwire/header.hpp>

#include <boost/system/result.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace switchyard::raftwire {

/// The leader asks its chosen successor to start an election at once. Old versions do not even say
/// who asks. Source: hashicorp/raft commands.go.
struct TimeoutNowRequest {
  Header header{};

  friend bool operator==(const TimeoutNowRequest&, const TimeoutNowRequest&) = default;
};

/// Go leaves the header of this answer zero.
struct TimeoutNowAnswer {
  Header header{};

  friend bool operator==(const TimeoutNowAnswer&, const TimeoutNowAnswer&) = default;
};

/// Each reads the message whose map is `object`. They fail with Error::Incomplete or a
/// msgpack::Error; of an answer, nil is all zeros.
[[nodiscard]] boost::system::result<TimeoutNowRequest>
decode_timeout_now(std::span<const std::byte> object) noexcept;
[[nodiscard]] boost::system::result<TimeoutNowAnswer>
decode_timeout_now_answer(std::span<const std::byte> object) noexcept;

void append_request(std::vector<std::byte>& out, const TimeoutNowRequest& request);
void append_answer(
    std::vector<std::byte>& out, const TimeoutNowAnswer& answer, std::string_view error = {});

} // namespace switchyard::raftwire
