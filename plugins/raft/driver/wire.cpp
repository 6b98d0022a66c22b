#include <plugins/raft/driver/wire.hpp>
#include <proto/raftwire/answer.hpp>

namespace switchyard::raft {
namespace {

template <class Body>
AnswerBody body_of(boost::system::result<Body> decoded) {
  if (!decoded) return std::monostate{};
  return *decoded;
}

} // namespace

Lane lane_of(const Message& message) noexcept {
  if (std::holds_alternative<Replicate>(message)) return Lane::Log;
  if (std::holds_alternative<SendSnapshot>(message)) return Lane::Snapshot;
  // TimeoutNow goes where a connection certainly is: it may be the last thing a server sends.
  const bool vote = std::holds_alternative<raftwire::RequestVoteRequest>(message) ||
                    std::holds_alternative<raftwire::PreVoteRequest>(message);
  return vote ? Lane::Vote : Lane::Heartbeat;
}

Bytes encode(const Message& message, const raftwire::Header& header, std::string_view leader) {
  Bytes bytes;
  if (const auto* heartbeat = std::get_if<Heartbeat>(&message)) {
    append_request(
        bytes, raftwire::AppendEntriesRequest{header, heartbeat->term, leader, 0, 0, {}, 0});
  } else if (const auto* vote = std::get_if<raftwire::RequestVoteRequest>(&message)) {
    append_request(bytes, *vote);
  } else if (const auto* pre_vote = std::get_if<raftwire::PreVoteRequest>(&message)) {
    append_request(bytes, *pre_vote);
  } else if (const auto* timeout_now = std::get_if<raftwire::TimeoutNowRequest>(&message)) {
    append_request(bytes, *timeout_now);
  }
  return bytes;
}

Bytes encode_entries(
    const Replicate& message,
    const raftwire::Header& header,
    std::string_view leader,
    std::vector<raftwire::Entry> entries) {
  Bytes bytes;
  append_request(
      bytes,
      raftwire::AppendEntriesRequest{
          header,
          message.term,
          leader,
          message.previous_index,
          message.previous_term,
          std::move(entries),
          message.commit_index});
  return bytes;
}

Bytes encode_snapshot(
    const SendSnapshot& message,
    const raftwire::Header& header,
    std::string_view leader,
    std::uint64_t size) {
  const auto members = raftwire::encode_configuration(message.meta.configuration);
  // Peers of before protocol version 2 read nothing else.
  const auto peers = raftwire::encode_peers(message.meta.configuration);
  Bytes bytes;
  append_request(
      bytes,
      raftwire::InstallSnapshotRequest{
          header,
          raftwire::kSnapshotVersion,
          message.term,
          leader,
          message.meta.index,
          message.meta.term,
          peers,
          members,
          message.meta.configuration_index,
          static_cast<std::int64_t>(size)});
  return bytes;
}

Bytes encode(const Answer& answer) {
  Bytes bytes;
  std::visit(
      [&](const auto& body) {
        if constexpr (std::is_same_v<std::decay_t<decltype(body)>, std::monostate>) {
          raftwire::append_error(bytes, answer.error);
        } else {
          raftwire::append_answer(bytes, body, answer.error);
        }
      },
      answer.body);
  return bytes;
}

AnswerBody decode_answer(const Message& message, std::span<const std::byte> object) {
  switch (lane_of(message)) {
  case Lane::Log: return body_of(raftwire::decode_append_entries_answer(object));
  case Lane::Snapshot: return body_of(raftwire::decode_install_snapshot_answer(object));
  case Lane::Vote:
    if (std::holds_alternative<raftwire::RequestVoteRequest>(message)) {
      return body_of(raftwire::decode_request_vote_answer(object));
    }
    return body_of(raftwire::decode_pre_vote_answer(object));
  case Lane::Heartbeat:
    if (std::holds_alternative<raftwire::TimeoutNowRequest>(message)) {
      return body_of(raftwire::decode_timeout_now_answer(object));
    }
    return body_of(raftwire::decode_append_entries_answer(object));
  }
  return {};
}

} // namespace switchyard::raft
