#include "node.hpp"

#include <proto/raftwire/answer.hpp>
#include <proto/raftwire/request.hpp>

#include <boost/endian/conversion.hpp>

#include <algorithm>
#include <cstring>

namespace switchyard::raft::simulation {

namespace {

NodeId node_of(std::string_view name) {
  return static_cast<NodeId>(std::stoul(std::string{name.substr(1)}));
}

Lane lane_of(const Message& message) {
  if (std::holds_alternative<Heartbeat>(message)) return Lane::Heartbeat;
  if (std::holds_alternative<Replicate>(message) || std::holds_alternative<SendSnapshot>(message)) {
    return Lane::Log;
  }
  return Lane::Vote;
}

template <class Body>
AnswerBody body_of(boost::system::result<Body> decoded) {
  if (!decoded) return std::monostate{};
  return *decoded;
}

AnswerBody decode_answer(const Message& message, std::span<const std::byte> object) {
  switch (lane_of(message)) {
  case Lane::Heartbeat: return body_of(raftwire::decode_append_entries_answer(object));
  case Lane::Log:
    if (std::holds_alternative<SendSnapshot>(message)) {
      return body_of(raftwire::decode_install_snapshot_answer(object));
    }
    return body_of(raftwire::decode_append_entries_answer(object));
  case Lane::Vote:
    if (std::holds_alternative<raftwire::RequestVoteRequest>(message)) {
      return body_of(raftwire::decode_request_vote_answer(object));
    }
    if (std::holds_alternative<raftwire::PreVoteRequest>(message)) {
      return body_of(raftwire::decode_pre_vote_answer(object));
    }
    return body_of(raftwire::decode_timeout_now_answer(object));
  }
  return {};
}

} // namespace

Node::Node(World& world, Network& network, NodeId id, NodeSettings node_settings, Done done)
    : settings{std::move(node_settings)},
      world_{world},
      network_{network},
      id_{id},
      done_{std::move(done)} {
  settings.core.id = name();
  settings.core.address = name() + ":1";
  network_.attach(id_, *this);
}

Time Node::local_now() const {
  const auto local = static_cast<double>(world_.now()) * settings.clock_rate;
  return Time{std::chrono::nanoseconds{static_cast<Nanoseconds>(local)}} + std::chrono::hours{1};
}

void Node::found(const raftwire::Configuration& members) {
  auto ballots = BallotFile::open(disk_);
  if (!ballots || !ballots->save({1, {}})) throw Violated{"cannot found: ballot"};
  LogContent content;
  std::string where;
  auto log = Log::open(disk_, settings.log, content, where);
  if (!log) throw Violated{"cannot found: log"};
  const auto data = raftwire::encode_configuration(members);
  const raftwire::Entry first{1, 1, raftwire::EntryType::Configuration, data, {}};
  (*log)->append(first);
  if (!(*log)->take_batch().write(disk_, settings.log)) throw Violated{"cannot found: write"};
  TermRuns terms;
  terms.append(1);
  world_.checker.appended(id_, Append{0, {first}}, terms);
}

void Node::start() {
  state_ = saved_ ? saved_->state : State{};
  open(0);
}

void Node::replace() {
  if (!up() || core_->halted() || world_.now() < paused_until_) return;
  for (begin_write(); now_writing_; begin_write()) {
    finish_write();
    if (core_->halted()) return;
  }
  const auto ballot = core_->ballot();
  const auto last = core_->log().last_index();
  const auto commit = core_->commit_index();
  const bool leads = core_->role() == Role::Leader;
  forget();
  disk_.lose_process();
  world_.checker.node_stopped(id_);
  network_.drop(id_);
  if (saved_ && saved_->meta.index > state_.index) state_ = saved_->state;
  open(commit);
  if (core_->ballot() != ballot || core_->log().last_index() != last) {
    throw Violated{name() + ": found less than was handed over"};
  }
  if (leads) on_core([](Core& core, Time now) { core.campaign(now); });
}

void Node::forget() {
  core_.reset();
  log_.reset();
  ballots_.reset();
  now_writing_.reset();
  requests_.clear();
  ++life_;
}

void Node::open(std::uint64_t commit_index) {
  ++life_;
  LogContent content;
  std::string where;
  auto ballots = BallotFile::open(disk_);
  if (!ballots) throw Violated{name() + ": " + ballots.error().message()};
  auto log = Log::open(disk_, settings.log, content, where);
  if (!log) throw Violated{name() + ": " + log.error().message() + " " + where};
  const auto meta = saved_ ? saved_->meta : SnapshotMeta{};
  auto durable = recover(ballots->ballot(), meta, std::move(content), **log);
  if (!durable) throw Violated{name() + ": " + durable.error().message()};

  log_ = std::move(*log);
  ballots_.emplace(std::move(*ballots));
  if (log_->has_batch()) {
    const auto batch = log_->take_batch();
    if (!LogBatch{batch}.write(disk_, settings.log)) throw Violated{"cannot write at start"};
    log_->written(batch);
  }
  applying_ = snapshotting_ = false;
  requests_.clear();
  wanted_ = begun_ = 0;
  ballot_to_write_.reset();
  snapshot_to_write_.reset();
  now_writing_.reset();
  armed_for_ = 0;
  auto random = [chance = Chance{world_.chance()}]() mutable { return chance(); };
  durable->commit_index = commit_index;
  core_ = std::make_unique<Core>(settings.core, std::move(*durable), *log_, random, local_now());
  world_.checker.node_started(id_, *core_);
  apply_up_to(core_->commit_index());
  act();
}

void Node::crash(Crash crash) {
  if (!up()) return;
  if (now_writing_) {
    disk_.fail_after(world_.chance.below(6));
    (void)write();
  }
  forget();
  paused_until_ = 0;
  if (crash == Crash::Power) {
    disk_.lose_power(world_.chance);
  } else {
    disk_.lose_process();
  }
  world_.checker.node_stopped(id_);
  network_.drop(id_);
}

void Node::later(Nanoseconds delay, std::function<void()> what) {
  world_.after(delay, [this, life = life_, happen = std::move(what)] {
    if (life == life_) happen();
  });
}

void Node::act() {
  world_.checker.node_changed(id_, *core_);
  for (auto actions = core_->take_actions(); !actions.empty(); actions = core_->take_actions()) {
    for (auto& action : actions) {
      world_.note(id_ * 64 + action.index());
      std::visit([this](auto& one) { carry_out(one); }, action);
    }
  }
  world_.note(core_->term() * 1024 + core_->log().last_index());
  begin_write();
  arm();
}

void Node::arm() {
  const auto deadline = core_->next_deadline();
  if (deadline == Time::max()) return;
  const auto local = static_cast<double>((deadline - local_now()).count());
  const auto delay = std::max<Nanoseconds>(
      kMicrosecond, static_cast<Nanoseconds>(local / settings.clock_rate) + 1);
  const auto due = world_.now() + delay;
  if (armed_for_ > world_.now() && armed_for_ <= due) return;
  armed_for_ = due;
  later(delay, [this] { on_core([](Core& core, Time now) { core.advance(now); }); });
}

void Node::carry_out(SaveBallot& action) {
  ballot_to_write_ = action.ballot;
  wanted_ = action.write;
}

void Node::carry_out(Append& action) {
  world_.checker.appended(id_, action, core_->log());
  const auto from = action.entries.front().index;
  if (from <= log_->last_index()) log_->truncate(from);
  for (const auto& entry : action.entries)
    log_->append(entry);
  wanted_ = action.write;
}

void Node::carry_out(InstallSnapshot& action) {
  state_ = requests_.at(action.request).incoming;
  world_.checker.restored(state_.index, state_.chain);
  if (!action.keeps_log) {
    world_.checker.replaced(id_);
    log_->reset(action.meta.index + 1);
  }
  snapshot_to_write_ = Saved{action.meta, state_};
  wanted_ = action.write;
}

void Node::carry_out(Compact& action) {
  log_->compact(action.index);
}

void Node::carry_out(Apply& action) {
  apply_up_to(action.index);
}

void Node::apply_up_to(std::uint64_t index) {
  apply_to_ = index;
  if (state_.index >= index || std::exchange(applying_, true)) return;
  later(world_.chance.between(0, settings.apply_max), [this] { apply_entries(); });
}

void Node::apply_entries() {
  applying_ = false;
  while (state_.index < apply_to_) {
    const auto stored = log_->read(state_.index + 1);
    if (!stored) throw Violated{name() + ": cannot read " + std::to_string(state_.index + 1)};
    state_.chain = world_.checker.applied(state_.chain, stored->entry);
    ++state_.index;
  }
  take_snapshot();
}

void Node::take_snapshot() {
  if (snapshotting_ || state_.index < core_->snapshot().index + settings.snapshot_threshold) return;
  const auto point = core_->snapshot_point(state_.index);
  if (!point) return;
  snapshotting_ = true;
  later(world_.chance.between(0, 20 * kMillisecond), [this, taken = Saved{*point, state_}] {
    snapshotting_ = false;
    if (saved_ && saved_->meta.index >= taken.meta.index) return;
    saved_ = taken;
    on_core([meta = taken.meta](Core& core, Time now) { core.snapshot_saved(meta, now); });
  });
}

void Node::begin_write() {
  if (now_writing_ || core_->halted() || (begun_ == wanted_ && !log_->has_batch())) return;
  begun_ = wanted_;
  now_writing_ = Writing{
      std::exchange(ballot_to_write_, {}),
      std::exchange(snapshot_to_write_, {}),
      log_->take_batch()};
  later(world_.chance.between(20 * kMicrosecond, settings.write_max), [this] {
    if (now_writing_) finish_write();
  });
}

void Node::finish_write() {
  const bool done = write();
  const auto batch = std::move(std::exchange(now_writing_, {})->batch);
  if (done) log_->written(batch);
  on_core([done, upto = begun_](Core& core, Time now) {
    if (done) {
      core.persisted(upto, now);
    } else {
      core.persist_failed(now);
    }
  });
}

bool Node::write() {
  auto& [ballot, snapshot, batch] = *now_writing_;
  if (ballot && !ballots_->save(*ballot)) return false;
  if (snapshot) {
    if (!disk_.sync()) return false;
    if (!saved_ || saved_->meta.index < snapshot->meta.index) saved_ = *snapshot;
  }
  return batch.write(disk_, settings.log).has_value();
}

void Node::carry_out(CallDone& action) {
  done_(action);
}

void Node::carry_out(Violation& action) {
  throw Violated{name() + ": " + action.text};
}

// Requests of others.

bool Node::receive(
    const std::shared_ptr<const Bytes>& bytes,
    std::shared_ptr<Connection> connection,
    std::shared_ptr<Exchange> exchange) {
  const auto frame = raftwire::RequestExtent{}.scan(*bytes);
  if (!frame || !*frame) return false;
  auto decoded = (*frame)->decode();
  if (!decoded) return false;

  const auto id = ++last_request_;
  requests_[id] = Origin{std::move(connection), std::move(exchange)};
  // It points into `bytes`, which are there until all that it causes is done.
  on_core([this, id, bytes, size = (*frame)->size, request = std::move(*decoded)](
              Core& core, Time now) {
    const auto at = requests_.find(id);
    if (at == requests_.end()) return;
    remember(at->second, request, std::span{*bytes}.subspan(size));
    const bool changes = !std::holds_alternative<raftwire::PreVoteRequest>(request);
    const auto ballot = changes ? Ballot{} : core.ballot();
    core.receive(id, request, now);
    if (!changes && core.ballot() != ballot) {
      throw Violated{name() + ": a pre-vote has changed something"};
    }
  });
  return true;
}

void Node::remember(
    Origin& origin, const raftwire::Request& request, std::span<const std::byte> body) {
  if (const auto* append = std::get_if<raftwire::AppendEntriesRequest>(&request)) {
    if (append->entries.empty()) return;
    origin.index = append->entries.back().index;
    origin.index_term = append->entries.back().term;
  } else if (const auto* vote = std::get_if<raftwire::RequestVoteRequest>(&request)) {
    origin.candidate = vote->candidate;
  } else if (const auto* snapshot = std::get_if<raftwire::InstallSnapshotRequest>(&request)) {
    origin.index = snapshot->last_index;
    origin.index_term = snapshot->last_term;
    const auto* chain = reinterpret_cast<const unsigned char*>(body.data());
    origin.incoming = {snapshot->last_index, boost::endian::load_little_u64(chain)};
  }
}

void Node::carry_out(ReceiveSnapshot& action) {
  const auto delay = world_.chance.between(0, 30 * kMillisecond);
  const bool bad = world_.chance.of(0.1);
  later(delay, [this, request = action.request, bad] {
    on_core([request, bad](Core& core, Time now) {
      if (bad) {
        core.snapshot_failed(request, "failed to restore snapshot: chance", now);
      } else {
        core.snapshot_ready(request, now);
      }
    });
  });
}

void Node::carry_out(DropSnapshot&) {}

void Node::carry_out(Answer& action) {
  const auto at = requests_.find(action.request);
  if (at == requests_.end()) return;
  const auto origin = std::move(requests_.extract(at).mapped());
  tell(action, origin);
  if (!origin.connection || origin.connection->broken) return;

  if (auto* entries = std::get_if<raftwire::AppendEntriesAnswer>(&action.body)) {
    if (settings.low_hints && !entries->success) {
      entries->last_index = world_.chance.below(entries->last_index + 1);
    }
  }
  auto& bytes = origin.exchange->answer;
  std::visit(
      [&](const auto& body) {
        if constexpr (std::is_same_v<std::decay_t<decltype(body)>, std::monostate>) {
          raftwire::append_error(bytes, action.error);
        } else {
          raftwire::append_answer(bytes, body, action.error);
        }
      },
      action.body);
  origin.exchange->answered = true;
  network_.answer(origin.connection);
}

/// Once it is out, it holds for ever.
void Node::tell(const Answer& answer, const Origin& origin) {
  auto& checker = world_.checker;
  if (const auto* entries = std::get_if<raftwire::AppendEntriesAnswer>(&answer.body)) {
    checker.term_told(id_, entries->term);
    if (entries->success && origin.index > 0) {
      checker.entries_told(id_, origin.index, origin.index_term, core_->log());
    }
  } else if (const auto* vote = std::get_if<raftwire::RequestVoteAnswer>(&answer.body)) {
    checker.term_told(id_, vote->term);
    if (vote->granted) checker.vote_told(id_, vote->term, origin.candidate);
  } else if (const auto* snapshot = std::get_if<raftwire::InstallSnapshotAnswer>(&answer.body)) {
    checker.term_told(id_, snapshot->term);
    if (snapshot->success) {
      checker.entries_told(id_, origin.index, origin.index_term, core_->log());
    }
  }
}

// Our own requests.

Bytes Node::encode(const Message& message, bool& readable) const {
  const raftwire::Header header{
      raftwire::kProtocolVersion,
      settings.core.header_form,
      settings.core.id,
      settings.core.address};
  const std::string_view leader = settings.core.address;
  Bytes bytes;
  if (const auto* heartbeat = std::get_if<Heartbeat>(&message)) {
    append_request(
        bytes, raftwire::AppendEntriesRequest{header, heartbeat->term, leader, 0, 0, {}, 0});
  } else if (const auto* replicate = std::get_if<Replicate>(&message)) {
    std::vector<StoredEntry> stored;
    raftwire::AppendEntriesRequest request{
        header,
        replicate->term,
        leader,
        replicate->previous_index,
        replicate->previous_term,
        {},
        settings.plain_commit_index ? core_->commit_index() : replicate->commit_index};
    for (std::uint32_t i = 1; i <= replicate->count; ++i) {
      auto entry = log_->read(replicate->previous_index + i);
      readable = readable && entry.has_value();
      if (!readable) return {};
      stored.push_back(std::move(*entry));
      request.entries.push_back(stored.back().entry);
    }
    append_request(bytes, request);
  } else if (const auto* snapshot = std::get_if<SendSnapshot>(&message)) {
    readable = saved_ && saved_->meta.index == snapshot->meta.index;
    if (!readable) return {};
    const auto members = raftwire::encode_configuration(snapshot->meta.configuration);
    append_request(
        bytes,
        raftwire::InstallSnapshotRequest{
            header,
            raftwire::kSnapshotVersion,
            snapshot->term,
            leader,
            snapshot->meta.index,
            snapshot->meta.term,
            {},
            members,
            snapshot->meta.configuration_index,
            sizeof(std::uint64_t)});
    std::array<std::byte, sizeof(std::uint64_t)> chain{};
    boost::endian::store_little_u64(
        reinterpret_cast<unsigned char*>(chain.data()), saved_->state.chain);
    bytes.insert(bytes.end(), chain.begin(), chain.end());
  } else if (const auto* vote = std::get_if<raftwire::RequestVoteRequest>(&message)) {
    append_request(bytes, *vote);
  } else if (const auto* pre_vote = std::get_if<raftwire::PreVoteRequest>(&message)) {
    append_request(bytes, *pre_vote);
  } else {
    append_request(bytes, std::get<raftwire::TimeoutNowRequest>(message));
  }
  return bytes;
}

void Node::carry_out(Send& action) {
  if (const auto* vote = std::get_if<raftwire::RequestVoteRequest>(&action.message)) {
    world_.checker.vote_told(id_, vote->term, vote->candidate);
    world_.checker.term_told(id_, vote->term);
  }
  bool readable = true;
  auto bytes = encode(action.message, readable);
  if (!readable) return later(kMicrosecond, [this, send = action.id] { failed(send); });
  const auto lane = lane_of(action.message);
  network_.send(
      id_, node_of(action.server), lane, action.id, std::move(action.message), std::move(bytes));
}

void Node::answered(std::shared_ptr<const Exchange> exchange) {
  on_core([exchange = std::move(exchange)](Core& core, Time now) {
    const auto frame = raftwire::AnswerExtent{}.scan(exchange->answer);
    if (!frame || !*frame) return core.failed(exchange->send, now);
    const auto body = decode_answer(exchange->message, (*frame)->object);
    core.answered(exchange->send, body, (*frame)->error, now);
  });
}

void Node::failed(SendId send) {
  on_core([send](Core& core, Time now) { core.failed(send, now); });
}

} // namespace switchyard::raft::simulation
