// A node among peers that say anything, on a disk that may fail, with calls of an application.
// Properties: the node ends neither itself nor a promise. Its term, its vote in a term and its
// commit index never go back; nothing committed is truncated, rewritten or lost to a snapshot; it
// applies in order what is committed and durable; each request is answered once, each call ends
// once.
#include <plugins/raft/core/core.hpp>

#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace {

using namespace switchyard;
using namespace switchyard::raft;
using raftwire::Suffrage;

using Bytes = std::vector<std::byte>;

constexpr std::size_t kEventsMax = 512;

void require(bool condition) {
  if (!condition) std::abort();
}

struct AnySize final : EntrySizes {
  std::uint32_t fitting(std::uint64_t, std::uint32_t count, std::uint64_t) const override {
    return count;
  }
};

Settings settings() {
  Settings settings;
  settings.id = "s1";
  settings.address = "s1:1";
  settings.trailing_entries = 4;
  settings.entries_max = 4;
  settings.pipeline_max = 3;
  settings.calls_max = 4;
  return settings;
}

raftwire::Configuration members(std::size_t count) {
  raftwire::Configuration members;
  for (std::size_t number = 1; number <= count; ++number) {
    const auto id = "s" + std::to_string(number);
    members.servers.push_back({Suffrage::Voter, id, id + ":1"});
  }
  return members;
}

Durable founded(std::size_t servers) {
  Durable durable;
  durable.ballot = {1, {}};
  durable.log.append(1);
  durable.configurations.push_back({1, members(servers)});
  return durable;
}

class Node {
public:
  explicit Node(FuzzedDataProvider& input)
      : input_{input},
        core_{
            settings(),
            founded(input.ConsumeIntegralInRange<std::size_t>(1, 5)),
            sizes_,
            [this] { return random_ = random_ * 6364136223846793005U + 1442695040888963407U; },
            now_} {}

  void run() {
    for (std::size_t event = 0; event < kEventsMax && input_.remaining_bytes() > 0; ++event) {
      happen();
      if (input_.ConsumeBool()) continue; // several events may come before the next look
      look();
    }
    look();
  }

private:
  void happen() {
    switch (input_.ConsumeIntegralInRange(0, 17)) {
    case 0: return receive(anything());
    case 1:
    case 2:
    case 3: return receive(append_entries());
    case 4: return receive(vote());
    case 5: return receive(pre_vote());
    case 6: return receive(snapshot());
    case 7: return receive(timeout_now());
    case 8: return wait();
    case 9: return persist();
    case 10:
    case 11: return answer();
    case 12:
    case 13: return end_snapshot();
    case 14: return save_snapshot();
    default: return call();
    }
  }

  // What peers say.

  /// Mostly `value` or close to it: what is far off is refused at once.
  std::uint64_t near(std::uint64_t value) {
    static constexpr int kSteps[] = {0, 0, 0, 0, 1, 1, 2, 3, -1, -1, -3, 100};
    const auto step = input_.PickValueInArray(kSteps);
    if (step == 100) return input_.ConsumeIntegral<std::uint64_t>();
    return step < 0 ? value - std::min<std::uint64_t>(value, static_cast<std::uint64_t>(-step))
                    : value + static_cast<std::uint64_t>(step);
  }

  bool rarely() { return input_.ConsumeIntegralInRange(0, 15) == 15; }

  std::string_view server() {
    static constexpr std::string_view kServers[] = {"s1", "s2", "s3", "s4", "s5", "x", ""};
    return input_.PickValueInArray(kServers);
  }

  std::string_view address() {
    static constexpr std::string_view kAddresses[] = {"s1:1", "s2:1", "s3:1", "s4:1", "x:1", ""};
    return input_.PickValueInArray(kAddresses);
  }

  raftwire::Header header() {
    raftwire::Header header;
    if (rarely()) header.version = input_.ConsumeIntegralInRange(1, 4);
    header.form = input_.ConsumeBool() ? raftwire::HeaderForm::New : raftwire::HeaderForm::Old;
    if (header.form == raftwire::HeaderForm::New) {
      header.id = server();
      header.address = address();
    }
    return header;
  }

  std::string configuration() {
    return raftwire::encode_configuration(
        members(rarely() ? 0 : input_.ConsumeIntegralInRange<std::size_t>(1, 5)));
  }

  template <class Request>
  static Bytes encoded(const Request& request) {
    Bytes bytes;
    append_request(bytes, request);
    return bytes;
  }

  Bytes anything() {
    const auto text = input_.ConsumeRandomLengthString(512);
    const auto* begin = reinterpret_cast<const std::byte*>(text.data());
    return {begin, begin + text.size()};
  }

  Bytes append_entries() {
    raftwire::AppendEntriesRequest request;
    request.header = header();
    request.term = near(core_.term());
    request.leader = address();
    const auto around = input_.ConsumeBool() ? core_.commit_index() : core_.log().last_index();
    request.previous_index = near(around);
    const auto true_term = core_.log().term(request.previous_index);
    request.previous_term = input_.ConsumeBool() && true_term ? *true_term : near(core_.term());
    request.commit_index = near(around);
    const auto members = configuration();
    const auto count = input_.ConsumeIntegralInRange(0, 3);
    for (int position = 1; position <= count; ++position) {
      raftwire::Entry entry;
      entry.index = request.previous_index + static_cast<std::uint64_t>(position);
      entry.term = input_.ConsumeBool() ? request.term : near(request.term);
      entry.type = static_cast<raftwire::EntryType>(input_.ConsumeIntegralInRange(0, 5));
      entry.data = changes_servers(entry.type) ? std::string_view{members} : "data";
      request.entries.push_back(entry);
    }
    return encoded(request);
  }

  Bytes vote() {
    raftwire::RequestVoteRequest request;
    request.header = header();
    request.term = near(core_.term());
    request.candidate = address();
    request.last_index = near(core_.log().last_index());
    request.last_term = near(core_.log().last_term());
    request.leadership_transfer = input_.ConsumeBool();
    return encoded(request);
  }

  Bytes pre_vote() {
    raftwire::PreVoteRequest request;
    request.header = header();
    request.term = near(core_.term());
    request.last_index = near(core_.log().last_index());
    request.last_term = near(core_.log().last_term());
    return encoded(request);
  }

  Bytes snapshot() {
    raftwire::InstallSnapshotRequest request;
    request.header = header();
    if (rarely()) request.version = input_.ConsumeIntegralInRange(-1, 2);
    request.term = near(core_.term());
    request.leader = address();
    request.last_index =
        near(input_.ConsumeBool() ? core_.commit_index() : core_.log().last_index());
    request.last_term = near(core_.log().last_term());
    const auto members = configuration();
    request.configuration = members;
    request.configuration_index = input_.ConsumeBool() ? 0 : near(core_.commit_index());
    return encoded(request);
  }

  Bytes timeout_now() {
    raftwire::TimeoutNowRequest request;
    request.header = header();
    return encoded(request);
  }

  /// The bytes stay until the next look at what there is to do.
  void receive(Bytes request) {
    const auto& bytes = kept_.emplace_back(std::move(request));
    const auto frame = raftwire::RequestExtent{}.scan(bytes);
    if (!frame || !*frame) return;
    const auto decoded = (*frame)->decode();
    if (!decoded) return;
    requests_.insert(++last_request_);
    core_.receive(last_request_, *decoded, now_);
  }

  // What becomes of what the node asked for.

  void wait() {
    now_ += std::chrono::milliseconds{input_.ConsumeIntegralInRange(0, 3000)};
    if (input_.ConsumeBool()) now_ = std::max(now_, std::min(core_.next_deadline(), kEnd));
    core_.advance(now_);
  }

  void persist() {
    if (failed_) return;
    if (rarely() && rarely()) {
      failed_ = true;
      return core_.persist_failed(now_);
    }
    if (persisted_ == wanted_) return;
    persisted_ = input_.ConsumeIntegralInRange(persisted_ + 1, wanted_);
    core_.persisted(persisted_, now_);
  }

  AnswerBody any_answer() {
    const auto term = near(core_.term());
    const auto yes = input_.ConsumeBool();
    switch (input_.ConsumeIntegralInRange(0, 5)) {
    case 0:
      return raftwire::AppendEntriesAnswer{{}, term, near(core_.log().last_index()), yes, false};
    case 1: return raftwire::RequestVoteAnswer{{}, term, yes};
    case 2: return raftwire::InstallSnapshotAnswer{{}, term, yes};
    case 3: return raftwire::TimeoutNowAnswer{};
    case 4: return raftwire::PreVoteAnswer{{}, term, yes};
    default: return std::monostate{};
    }
  }

  /// The answer that a peer would give that agrees.
  AnswerBody right_answer(const Message& message) const {
    const auto term = core_.term();
    if (std::holds_alternative<raftwire::RequestVoteRequest>(message)) {
      return raftwire::RequestVoteAnswer{{}, term, true};
    }
    if (std::holds_alternative<raftwire::PreVoteRequest>(message)) {
      return raftwire::PreVoteAnswer{{}, term, true};
    }
    if (std::holds_alternative<SendSnapshot>(message)) {
      return raftwire::InstallSnapshotAnswer{{}, term, true};
    }
    if (std::holds_alternative<raftwire::TimeoutNowRequest>(message)) {
      return raftwire::TimeoutNowAnswer{};
    }
    return raftwire::AppendEntriesAnswer{{}, term, core_.log().last_index(), true, false};
  }

  void answer() {
    if (sends_.empty()) return;
    const auto at = std::next(
        sends_.begin(),
        static_cast<std::ptrdiff_t>(input_.ConsumeIntegralInRange<std::size_t>(
            0, std::min<std::size_t>(sends_.size(), 8) - 1)));
    const auto [id, message] = std::move(*at);
    sends_.erase(at);
    switch (input_.ConsumeIntegralInRange(0, 3)) {
    case 0: return core_.failed(id, now_);
    case 1: return core_.answered(id, any_answer(), input_.ConsumeBool() ? "error" : "", now_);
    default: return core_.answered(id, right_answer(message), "", now_);
    }
  }

  void end_snapshot() {
    if (receiving_.empty()) return;
    const auto request = *receiving_.begin();
    receiving_.erase(receiving_.begin());
    if (input_.ConsumeBool()) {
      core_.snapshot_ready(request, now_);
    } else {
      core_.snapshot_failed(request, "failed", now_);
    }
  }

  void save_snapshot() {
    if (const auto point = core_.snapshot_point(applied_)) core_.snapshot_saved(*point, now_);
  }

  void call() {
    const auto call = ++last_call_;
    calls_.insert(call);
    switch (input_.ConsumeIntegralInRange(0, 5)) {
    case 0:
    case 1: return core_.propose(call, "data", "", now_);
    case 2: return core_.barrier(call, now_);
    case 3: return core_.verify(call, now_);
    case 4: return core_.transfer(call, server(), now_);
    default: {
      ServerChange change;
      change.kind = static_cast<ServerChange::Kind>(input_.ConsumeIntegralInRange(0, 3));
      change.id = server();
      change.address = address();
      change.previous_index = input_.ConsumeBool() ? 0 : near(core_.commit_index());
      return core_.change(call, change, now_);
    }
    }
  }

  // What the node does about it.

  void look() {
    for (auto actions = core_.take_actions(); !actions.empty(); actions = core_.take_actions()) {
      for (auto& action : actions)
        std::visit([this](auto& one) { carry_out(one); }, action);
    }
    kept_.clear();
    require(core_.commit_index() >= committed_);
    committed_ = core_.commit_index();
    require(core_.term() >= term_);
    term_ = core_.term();
    require(core_.log().last_index() >= committed_);
  }

  void carry_out(const SaveBallot& action) {
    wanted_ = action.write;
    require(action.ballot.term >= ballot_.term);
    if (action.ballot.term == ballot_.term && !ballot_.candidate.empty()) {
      require(action.ballot.candidate == ballot_.candidate);
    }
    ballot_ = action.ballot;
  }

  void carry_out(const Append& action) {
    wanted_ = action.write;
    const auto first = action.entries.front().index;
    require(first > committed_ && first <= last_ + 1);
    last_ = first - 1;
    for (const auto& entry : action.entries)
      require(entry.index == ++last_);
  }

  void carry_out(const InstallSnapshot& action) {
    wanted_ = action.write;
    require(requests_.contains(action.request) && action.meta.index > committed_);
    require(action.meta.configuration.valid());
    if (!action.keeps_log) last_ = action.meta.index;
    require(action.meta.index <= last_);
    applied_ = action.meta.index;
  }

  void carry_out(const Compact& action) { require(action.index <= applied_); }

  void carry_out(const Apply& action) {
    require(!failed_ || action.index <= core_.commit_index());
    require(action.index > applied_ && action.index <= core_.commit_index());
    require(action.index <= last_);
    applied_ = action.index;
  }

  void carry_out(const Answer& action) { require(requests_.erase(action.request) == 1); }

  void carry_out(const ReceiveSnapshot& action) {
    require(requests_.contains(action.request));
    require(receiving_.insert(action.request).second);
  }

  void carry_out(const DropSnapshot&) {}

  void carry_out(Send& action) {
    require(sends_.try_emplace(action.id, std::move(action.message)).second);
    if (const auto* entries = std::get_if<Replicate>(&sends_.at(action.id))) {
      require(entries->previous_index + entries->count <= last_);
    }
  }

  void carry_out(const CallDone& action) { require(calls_.erase(action.call) == 1); }

  void carry_out(const LeaderChanged&) {}

  void carry_out(const Violation& action) { require(!action.text.empty()); }

  static constexpr Time kEnd = Time{std::chrono::hours{24 * 365}};

  FuzzedDataProvider& input_;
  AnySize sizes_;
  std::uint64_t random_ = 1;
  Time now_{std::chrono::hours{1}};
  Core core_;

  std::deque<Bytes> kept_;
  RequestId last_request_ = 0;
  std::set<RequestId> requests_; ///< without an answer
  std::set<RequestId> receiving_;
  std::map<SendId, Message> sends_; ///< without an answer
  CallId last_call_ = 0;
  std::set<CallId> calls_; ///< that have not ended
  WriteId wanted_ = 0;
  WriteId persisted_ = 0;
  bool failed_ = false;

  // What has been promised.
  Ballot ballot_{1, {}};
  std::uint64_t term_ = 1;
  std::uint64_t last_ = 1; ///< of the log
  std::uint64_t committed_ = 0;
  std::uint64_t applied_ = 0;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input{data, size};
  Node{input}.run();
  return 0;
}
