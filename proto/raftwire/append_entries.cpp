#include <proto/raftwire/append_entries.hpp>
#include <proto/raftwire/configuration.hpp>
#include <proto/raftwire/error.hpp>
#include <proto/raftwire/fields.hpp>
#include <proto/raftwire/request_type.hpp>

namespace switchyard::raftwire {
namespace {

constexpr std::string_view kEntries = "Entries";
constexpr std::string_view kLeader = "Leader";
constexpr std::string_view kCommitIndex = "LeaderCommitIndex";
constexpr std::string_view kPreviousIndex = "PrevLogEntry";
constexpr std::string_view kPreviousTerm = "PrevLogTerm";
constexpr std::string_view kTerm = "Term";
constexpr std::string_view kLastIndex = "LastLog";
constexpr std::string_view kNoRetryBackoff = "NoRetryBackoff";
constexpr std::string_view kSuccess = "Success";

boost::system::error_code
read_entries(Raw object, const Limits& limits, AppendEntriesRequest& request) {
  msgpack::Reader reader{object, limits.object};
  const auto count = reader.array();
  if (count > limits.entries_max) return Error::TooManyEntries;

  auto index = request.previous_index;
  auto term = request.previous_term;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto entry = decode_entry(reader.skip());
    if (const auto error = outcome(reader)) return error;
    if (!entry) return entry.error();
    if (entry->index != ++index) return Error::IndexGap;
    if (entry->term < term || entry->term > request.term) return Error::TermOrder;
    if (changes_servers(entry->type)) {
      const auto configuration = configuration_of(*entry);
      if (!configuration) return configuration.error();
    }
    term = entry->term;
    request.entries.push_back(*entry);
  }
  return outcome(reader);
}

} // namespace

bool AppendEntriesRequest::heartbeat() const noexcept {
  return term != 0 && !(leader.empty() && header.address.empty()) && previous_index == 0 &&
         previous_term == 0 && commit_index == 0 && entries.empty();
}

boost::system::result<AppendEntriesRequest>
decode_append_entries(std::span<const std::byte> object, const Limits& limits) {
  AppendEntriesRequest request;
  Raw entries;
  const Field fields[] = {
      {kTerm, &request.term},
      {kLeader, &request.leader},
      {kPreviousIndex, &request.previous_index},
      {kPreviousTerm, &request.previous_term},
      {kEntries, &entries},
      {kCommitIndex, &request.commit_index},
  };
  if (const auto error = read_message(object, limits.object, &request.header, fields)) return error;
  if (!in_range(request.term) || !in_range(request.previous_index) ||
      !in_range(request.commit_index)) {
    return Error::NumberTooLarge;
  }
  if (request.previous_term > request.term) return Error::TermOrder;
  if (!entries.empty()) {
    if (const auto error = read_entries(entries, limits, request)) return error;
  }
  return request;
}

boost::system::result<AppendEntriesAnswer>
decode_append_entries_answer(std::span<const std::byte> object) noexcept {
  AppendEntriesAnswer answer;
  const Field fields[] = {
      {kTerm, &answer.term},
      {kLastIndex, &answer.last_index},
      {kSuccess, &answer.success},
      {kNoRetryBackoff, &answer.no_retry_backoff},
  };
  if (const auto error = read_message(object, {}, &answer.header, fields)) return error;
  if (!in_range(answer.term) || !in_range(answer.last_index)) return Error::NumberTooLarge;
  return answer;
}

void append_request(std::vector<std::byte>& out, const AppendEntriesRequest& request) {
  out.push_back(static_cast<std::byte>(RequestType::AppendEntries));
  msgpack::Writer writer{out};
  begin_message(writer, request.header, 6);
  write_address(writer, request.header);
  writer.string(kEntries);
  if (request.entries.empty() && request.previous_index == 0) {
    writer.nil();
  } else {
    writer.array(static_cast<std::uint32_t>(request.entries.size()));
  }
  for (const auto& entry : request.entries)
    write_entry(writer, entry);
  write_id(writer, request.header);
  write(writer, kLeader, request.leader);
  write(writer, kCommitIndex, request.commit_index);
  write(writer, kPreviousIndex, request.previous_index);
  write(writer, kPreviousTerm, request.previous_term);
  write_version(writer, request.header);
  write(writer, kTerm, request.term);
}

void append_answer(
    std::vector<std::byte>& out, const AppendEntriesAnswer& answer, std::string_view error) {
  msgpack::Writer writer{out};
  writer.string(error);
  begin_message(writer, answer.header, 4);
  write_address(writer, answer.header);
  write_id(writer, answer.header);
  write(writer, kLastIndex, answer.last_index);
  write_flag(writer, kNoRetryBackoff, answer.no_retry_backoff);
  write_version(writer, answer.header);
  write_flag(writer, kSuccess, answer.success);
  write(writer, kTerm, answer.term);
}

} // namespace switchyard::raftwire
