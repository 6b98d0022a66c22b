#include <proto/raftwire/error.hpp>
#include <proto/raftwire/fields.hpp>
#include <proto/raftwire/install_snapshot.hpp>
#include <proto/raftwire/request_type.hpp>

namespace switchyard::raftwire {
namespace {

constexpr std::string_view kConfiguration = "Configuration";
constexpr std::string_view kConfigurationIndex = "ConfigurationIndex";
constexpr std::string_view kLastIndex = "LastLogIndex";
constexpr std::string_view kLastTerm = "LastLogTerm";
constexpr std::string_view kLeader = "Leader";
constexpr std::string_view kPeers = "Peers";
constexpr std::string_view kSize = "Size";
constexpr std::string_view kVersion = "SnapshotVersion";
constexpr std::string_view kTerm = "Term";
constexpr std::string_view kSuccess = "Success";

} // namespace

boost::system::result<InstallSnapshotRequest>
decode_install_snapshot(std::span<const std::byte> object) noexcept {
  InstallSnapshotRequest request;
  request.version = 0; // a missing key is zero
  const Field fields[] = {
      {kVersion, &request.version},
      {kTerm, &request.term},
      {kLeader, &request.leader},
      {kLastIndex, &request.last_index},
      {kLastTerm, &request.last_term},
      {kPeers, &request.peers},
      {kConfiguration, &request.configuration},
      {kConfigurationIndex, &request.configuration_index},
      {kSize, &request.size},
  };
  if (const auto error = read_message(object, {}, &request.header, fields)) return error;
  if (request.size < 0) return Error::NegativeSize;
  if (!in_range(request.term) || !in_range(request.last_index) || !in_range(request.last_term) ||
      !in_range(request.configuration_index)) {
    return Error::NumberTooLarge;
  }
  return request;
}

boost::system::result<InstallSnapshotAnswer>
decode_install_snapshot_answer(std::span<const std::byte> object) noexcept {
  InstallSnapshotAnswer answer;
  const Field fields[] = {{kTerm, &answer.term}, {kSuccess, &answer.success}};
  if (const auto error = read_message(object, {}, &answer.header, fields)) return error;
  if (!in_range(answer.term)) return Error::NumberTooLarge;
  return answer;
}

void append_request(std::vector<std::byte>& out, const InstallSnapshotRequest& request) {
  out.push_back(static_cast<std::byte>(RequestType::InstallSnapshot));
  msgpack::Writer writer{out};
  begin_message(writer, request.header, 9);
  write_address(writer, request.header);
  write(writer, kConfiguration, request.configuration);
  write(writer, kConfigurationIndex, request.configuration_index);
  write_id(writer, request.header);
  write(writer, kLastIndex, request.last_index);
  write(writer, kLastTerm, request.last_term);
  write(writer, kLeader, request.leader);
  write(writer, kPeers, request.peers);
  write_version(writer, request.header);
  writer.string(kSize);
  writer.signed_integer(request.size);
  writer.string(kVersion);
  writer.signed_integer(request.version);
  write(writer, kTerm, request.term);
}

void append_answer(
    std::vector<std::byte>& out, const InstallSnapshotAnswer& answer, std::string_view error) {
  msgpack::Writer writer{out};
  writer.string(error);
  begin_message(writer, answer.header, 2);
  write_address(writer, answer.header);
  write_id(writer, answer.header);
  write_version(writer, answer.header);
  write_flag(writer, kSuccess, answer.success);
  write(writer, kTerm, answer.term);
}

} // namespace switchyard::raftwire
