#include <plugins/raft/core/core.hpp>

#include <algorithm>

namespace switchyard::raft {
namespace {

/// An address is part of what has to be saved with a vote.
constexpr std::size_t kAddressMax = 1024;

constexpr std::uint64_t term_of(const raftwire::TimeoutNowRequest&) noexcept {
  return 0;
}

constexpr std::uint64_t term_of(const auto& message) noexcept {
  return message.term;
}

/// Where a request comes from when its header does not say: the older field.
std::string_view named(const raftwire::AppendEntriesRequest& message) noexcept {
  return message.leader;
}

std::string_view named(const raftwire::InstallSnapshotRequest& message) noexcept {
  return message.leader;
}

std::string_view named(const raftwire::RequestVoteRequest& message) noexcept {
  return message.candidate;
}

constexpr std::string_view named(const auto&) noexcept {
  return {};
}

} // namespace

void Core::receive(RequestId request, const raftwire::Request& message, Time now) {
  now_ = now;
  if (const auto error = refusal(message)) return refuse(request, *error);

  note_new_form(std::visit([](const auto& m) { return m.header.id; }, message));
  std::visit([&](const auto& m) { receive(request, m, now); }, message);
}

std::optional<std::string_view> Core::refusal(const raftwire::Request& message) const {
  if (halted_) return "the disk has failed";
  const auto& from = std::visit([](const auto& m) { return m.header; }, message);
  if (!from.supported()) return raftwire::kUnsupportedVersion;
  const auto term = std::visit([](const auto& m) { return term_of(m); }, message);
  if (term > ballot_.term && term - ballot_.term > kTermJumpMax) return "term out of range";

  const auto address = from.address.empty()
                           ? std::visit([](const auto& m) { return named(m); }, message)
                           : from.address;
  if (address.size() > kAddressMax || from.id.size() > kAddressMax) return "address too long";
  // Nobody else has a say in a cluster with one voter, and nobody may take one.
  if (sole_voter(configurations_.latest(), settings_.id) && !is_member(from, address)) {
    return "not a member of this cluster";
  }
  return std::nullopt;
}

bool Core::is_member(const raftwire::Header& from, std::string_view address) const noexcept {
  const auto& servers = configurations_.latest().servers;
  if (!from.id.empty()) return configurations_.latest().find(from.id) != nullptr;
  return std::ranges::find(servers, address, &raftwire::Server::address) != servers.end();
}

void Core::refuse(RequestId request, std::string_view error) {
  actions_.push_back(Answer{request, std::monostate{}, std::string{error}});
}

void Core::violated(RequestId request, std::string text) {
  refuse(request, text);
  actions_.push_back(Violation{std::move(text)});
}

} // namespace switchyard::raft
