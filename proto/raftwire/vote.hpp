#pragma once

#include <proto/raftwire/header.hpp>

#include <boost/system/result.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace switchyard::raftwire {

/// A candidate asks for a vote. Views point into the bytes it was read from.
/// Source: hashicorp/raft commands.go.
struct RequestVoteRequest {
  Header header{};
  std::uint64_t term = 0;
  std::string_view candidate{}; ///< its address; the header's is to be preferred where there is one
  std::uint64_t last_index = 0;
  std::uint64_t last_term = 0;
  bool leadership_transfer = false; ///< the leader itself has asked for this election

  friend bool operator==(const RequestVoteRequest&, const RequestVoteRequest&) = default;
};

struct RequestVoteAnswer {
  Header header{};
  std::uint64_t term = 0;
  bool granted = false;

  friend bool operator==(const RequestVoteAnswer&, const RequestVoteAnswer&) = default;
};

/// A node asks whether it would be elected, which changes nothing. The header says who asks.
struct PreVoteRequest {
  Header header{};
  std::uint64_t term = 0;
  std::uint64_t last_index = 0;
  std::uint64_t last_term = 0;

  friend bool operator==(const PreVoteRequest&, const PreVoteRequest&) = default;
};

struct PreVoteAnswer {
  Header header{};
  std::uint64_t term = 0;
  bool granted = false;

  friend bool operator==(const PreVoteAnswer&, const PreVoteAnswer&) = default;
};

/// Each reads the message whose map is `object`. They fail with Error::NumberTooLarge, Incomplete
/// or a msgpack::Error; of an answer, nil is all zeros.
[[nodiscard]] boost::system::result<RequestVoteRequest>
decode_request_vote(std::span<const std::byte> object) noexcept;
[[nodiscard]] boost::system::result<RequestVoteAnswer>
decode_request_vote_answer(std::span<const std::byte> object) noexcept;
[[nodiscard]] boost::system::result<PreVoteRequest>
decode_pre_vote(std::span<const std::byte> object) noexcept;
[[nodiscard]] boost::system::result<PreVoteAnswer>
decode_pre_vote_answer(std::span<const std::byte> object) noexcept;

void append_request(std::vector<std::byte>& out, const RequestVoteRequest& request);
void append_request(std::vector<std::byte>& out, const PreVoteRequest& request);
void append_answer(
    std::vector<std::byte>& out, const RequestVoteAnswer& answer, std::string_view error = {});
void append_answer(
    std::vector<std::byte>& out, const PreVoteAnswer& answer, std::string_view error = {});

} // namespace switchyard::raftwire
