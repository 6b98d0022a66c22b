#include <switchyard/failure.hpp>

#include <plugins/raft/driver/hand_over.hpp>

#include <boost/json.hpp>

namespace switchyard::raft {
namespace {

namespace json = boost::json;

[[noreturn]] void refuse(std::string_view what) {
  throw Failure{
      SY_INVALID, "what was handed over is not of another version of raft: " + std::string{what}};
}

template <class Kind>
Kind read(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  const auto read = value == nullptr ? json::result<Kind>{json::error::not_object}
                                     : json::try_value_to<Kind>(*value);
  if (!read) refuse("\"" + std::string{key} + "\" is missing, or of another kind");
  return *read;
}

} // namespace

/// Addresses and sentences are bytes of others; what is no UTF-8 in them passes as it is.
std::string encode(const HandOver& handed) {
  return json::serialize(json::object{
      {"id", handed.id},
      {"term", handed.ballot.term},
      {"vote", handed.ballot.candidate},
      {"last_index", handed.last_index},
      {"last_term", handed.last_term},
      {"snapshot_index", handed.snapshot_index},
      {"commit_index", handed.commit_index},
      {"leads", handed.leads},
      {"machine_error", handed.machine_error}});
}

HandOver decode_hand_over(std::span<const std::byte> text) {
  json::parse_options options;
  options.allow_invalid_utf8 = true;
  options.max_depth = 2;
  json::error_code error;
  const auto value = json::parse(
      {reinterpret_cast<const char*>(text.data()), text.size()},
      error,
      json::storage_ptr{},
      options);
  if (error || !value.is_object()) refuse("it is no JSON object");
  const auto& object = value.get_object();
  HandOver handed{
      read<std::string>(object, "id"),
      {read<std::uint64_t>(object, "term"), read<std::string>(object, "vote")},
      read<std::uint64_t>(object, "last_index"),
      read<std::uint64_t>(object, "last_term"),
      read<std::uint64_t>(object, "snapshot_index"),
      read<std::uint64_t>(object, "commit_index"),
      read<bool>(object, "leads"),
      read<std::string>(object, "machine_error")};
  if (handed.last_term > handed.ballot.term || handed.snapshot_index > handed.commit_index ||
      handed.commit_index > handed.last_index) {
    refuse("its numbers contradict each other");
  }
  return handed;
}

} // namespace switchyard::raft
