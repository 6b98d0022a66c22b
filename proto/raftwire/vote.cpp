#include <proto/raftwire/error.hpp>
#include <proto/raftwire/fields.hpp>
#include <proto/raftwire/request_type.hpp>
#include <proto/raftwire/vote.hpp>

namespace switchyard::raftwire {
namespace {

constexpr std::string_view kCandidate = "Candidate";
constexpr std::string_view kLastIndex = "LastLogIndex";
constexpr std::string_view kLastTerm = "LastLogTerm";
constexpr std::string_view kLeadershipTransfer = "LeadershipTransfer";
constexpr std::string_view kTerm = "Term";
constexpr std::string_view kGranted = "Granted";
constexpr std::string_view kPeers = "Peers"; // of an answer: nil since protocol version 2

template <class Answer>
boost::system::result<Answer> read_answer(Raw object) noexcept {
  Answer answer;
  const Field fields[] = {{kTerm, &answer.term}, {kGranted, &answer.granted}};
  if (const auto error = read_message(object, {}, &answer.header, fields)) return error;
  if (!in_range(answer.term)) return Error::NumberTooLarge;
  return answer;
}

template <class Request>
boost::system::result<Request> checked(const Request& request) noexcept {
  if (!in_range(request.term) || !in_range(request.last_index) || !in_range(request.last_term)) {
    return Error::NumberTooLarge;
  }
  return request;
}

} // namespace

boost::system::result<RequestVoteRequest>
decode_request_vote(std::span<const std::byte> object) noexcept {
  RequestVoteRequest request;
  const Field fields[] = {
      {kTerm, &request.term},
      {kCandidate, &request.candidate},
      {kLastIndex, &request.last_index},
      {kLastTerm, &request.last_term},
      {kLeadershipTransfer, &request.leadership_transfer},
  };
  if (const auto error = read_message(object, {}, &request.header, fields)) return error;
  return checked(request);
}

boost::system::result<RequestVoteAnswer>
decode_request_vote_answer(std::span<const std::byte> object) noexcept {
  return read_answer<RequestVoteAnswer>(object);
}

boost::system::result<PreVoteRequest> decode_pre_vote(std::span<const std::byte> object) noexcept {
  PreVoteRequest request;
  const Field fields[] = {
      {kTerm, &request.term},
      {kLastIndex, &request.last_index},
      {kLastTerm, &request.last_term},
  };
  if (const auto error = read_message(object, {}, &request.header, fields)) return error;
  return checked(request);
}

boost::system::result<PreVoteAnswer>
decode_pre_vote_answer(std::span<const std::byte> object) noexcept {
  return read_answer<PreVoteAnswer>(object);
}

void append_request(std::vector<std::byte>& out, const RequestVoteRequest& request) {
  out.push_back(static_cast<std::byte>(RequestType::RequestVote));
  msgpack::Writer writer{out};
  begin_message(writer, request.header, 5);
  write_address(writer, request.header);
  write(writer, kCandidate, request.candidate);
  write_id(writer, request.header);
  write(writer, kLastIndex, request.last_index);
  write(writer, kLastTerm, request.last_term);
  write_flag(writer, kLeadershipTransfer, request.leadership_transfer);
  write_version(writer, request.header);
  write(writer, kTerm, request.term);
}

void append_request(std::vector<std::byte>& out, const PreVoteRequest& request) {
  out.push_back(static_cast<std::byte>(RequestType::RequestPreVote));
  msgpack::Writer writer{out};
  begin_message(writer, request.header, 3);
  write_address(writer, request.header);
  write_id(writer, request.header);
  write(writer, kLastIndex, request.last_index);
  write(writer, kLastTerm, request.last_term);
  write_version(writer, request.header);
  write(writer, kTerm, request.term);
}

void append_answer(
    std::vector<std::byte>& out, const RequestVoteAnswer& answer, std::string_view error) {
  msgpack::Writer writer{out};
  writer.string(error);
  begin_message(writer, answer.header, 3);
  write_address(writer, answer.header);
  write_flag(writer, kGranted, answer.granted);
  write_id(writer, answer.header);
  write(writer, kPeers, std::string_view{});
  write_version(writer, answer.header);
  write(writer, kTerm, answer.term);
}

void append_answer(
    std::vector<std::byte>& out, const PreVoteAnswer& answer, std::string_view error) {
  msgpack::Writer writer{out};
  writer.string(error);
  begin_message(writer, answer.header, 2);
  write_address(writer, answer.header);
  write_flag(writer, kGranted, answer.granted);
  write_id(writer, answer.header);
  write_version(writer, answer.header);
  write(writer, kTerm, answer.term);
}

} // namespace switchyard::raftwire
