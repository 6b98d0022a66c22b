#include <plugins/raft/driver/outbounds.hpp>

#include <algorithm>
#include <array>

namespace switchyard::raft {
namespace {

constexpr std::int32_t kRaftTag = 1;

// What may wait to be written to one server; the rest waits where it takes no room.
constexpr std::size_t kOutputMax = 8U << 20;

constexpr std::size_t kReadBytes = 64 * 1024;

// Source: hashicorp/raft net_transport.go, DefaultTimeoutScale.
constexpr std::uint64_t kTimeoutScale = 256 * 1024;

} // namespace

Outbound::Outbound(Outbounds& all, std::string address, Lane lane)
    : all_{all}, address_{std::move(address)}, lane_{lane} {}

Outbound::~Outbound() {
  *alive_ = false;
  if (connection_) connection_.close(SY_CLOSE_DRAINED);
}

void Outbound::push(Outgoing request) {
  const auto& settings = all_.config;
  // A heartbeat or a vote that comes later than this is worth nothing.
  const auto timeout =
      lane_ == Lane::Heartbeat || lane_ == Lane::Vote
          ? std::min<Duration>(settings.io_timeout, 2 * settings.node.core.election_timeout)
          : settings.io_timeout;
  const bool impossible = request.bytes.empty() && request.places.empty() &&
                          !std::holds_alternative<SendSnapshot>(request.message);
  requests_.push_back({std::move(request), all_.node->now() + timeout});
  ++unsent_;
  if (impossible) return fail(SY_CLOSE_INTERNAL); // gone from the log: what follows does not fit
  if (!connection_) return dial();
  write();
}

Time Outbound::next_deadline() const noexcept {
  return requests_.empty() ? Time::max() : requests_.front().deadline;
}

void Outbound::advance(Time now) {
  if (next_deadline() <= now) fail(SY_CLOSE_TIMED_OUT);
}

void Outbound::fail(sy_close_reason reason) {
  ++generation_;
  if (connection_) connection_.close(reason);
  writing_ = waiting_ = false;
  output_.clear();
  input_.clear();
  extent_.reset();
  snapshot_.reset();
  snapshot_part_.clear();
  snapshot_reading_ = false;
  const auto lost = std::exchange(requests_, {});
  unsent_ = 0;
  std::vector<Outcoming> failed;
  for (const auto& request : lost)
    failed.push_back({request.what.id, {}, {}, true});
  if (!failed.empty()) all_.node->answered(failed); // which may push the next
}

void Outbound::dial() {
  if (std::exchange(dialling_, true)) return;
  sy_dial_options options{};
  options.struct_size = sizeof options;
  options.tls = SY_DIAL_OUTGOING;
  options.tag = kRaftTag;
  options.use_certificate = 1;
  options.address = to_c(address_);
  options.server_name = to_c(all_.config.server_name);
  options.timeout = static_cast<std::uint64_t>(all_.config.io_timeout.count());
  const auto* table = all_.host.find<sy_dial>();
  const auto status = table == nullptr
                          ? SY_UNSUPPORTED
                          : table->dial(all_.host.get(), &options, &Outbound::dialled, this);
  if (status == SY_OK) return;
  dialling_ = false;
  fail(SY_CLOSE_INTERNAL);
}

void Outbound::dialled(void* context, sy_status status, sy_connection* raw, const sy_error*) {
  auto& self = *static_cast<Outbound*>(context);
  self.dialling_ = false;
  Connection connection{raw};
  if (status != SY_OK) {
    self.all_.metrics.dials_failed.add();
    return self.fail(SY_CLOSE_INTERNAL);
  }
  if (self.requests_.empty()) return connection.close(SY_CLOSE_FINISHED);
  self.connection_ = std::move(connection);
  self.write();
  if (self.connection_) self.read();
}

/// Moves what is to be sent next into the output.
void Outbound::fill_output() {
  while (unsent_ > 0 && output_.size() < kOutputMax && !snapshot_) {
    auto& request = requests_[requests_.size() - unsent_];
    if (request.reading) return;
    if (!request.what.places.empty()) return load(request);
    if (std::holds_alternative<SendSnapshot>(request.what.message) && request.what.bytes.empty()) {
      stream_snapshot(request);
      if (!connection_ || !snapshot_) return;
    }
    const auto& bytes = request.what.bytes;
    output_.insert(output_.end(), bytes.begin(), bytes.end());
    request.what.bytes = {};
    request.sent = true;
    --unsent_;
  }
  const auto part = std::exchange(snapshot_part_, {});
  output_.insert(output_.end(), part.begin(), part.end());
  if (!snapshot_ || snapshot_reading_ || output_.size() >= kReadBytes) return;
  snapshot_reading_ = true;
  all_.node->files().post([this, alive = alive_, generation = generation_, reader = snapshot_] {
    const auto next = reader->next();
    auto bytes = next ? std::optional{Bytes{next->begin(), next->end()}} : std::nullopt;
    static_cast<void>(
        all_.loops.post(Node::kHome, [this, alive, generation, part = std::move(bytes)] {
          if (!*alive || generation != generation_) return;
          snapshot_reading_ = false;
          if (!part) return fail(SY_CLOSE_INTERNAL);
          requests_.front().deadline =
              std::max(requests_.front().deadline, all_.node->now() + all_.config.io_timeout);
          if (part->empty()) snapshot_.reset();
          snapshot_part_ = *part;
          write();
        }));
  });
}

void Outbound::stream_snapshot(Request& request) {
  const auto& message = std::get<SendSnapshot>(request.what.message);
  const auto file = all_.node->snapshot_of(message.meta);
  if (!file) return fail(SY_CLOSE_INTERNAL);
  request.what.bytes =
      encode_snapshot(message, all_.node->header(), all_.config.node.core.address, file->size());
  // The other side has to restore it too before it answers.
  request.deadline =
      all_.node->now() +
      all_.config.io_timeout * std::max<std::uint64_t>(1, file->size() / kTimeoutScale);
  snapshot_ = std::make_shared<SnapshotReader>(file);
}

/// Reads entries that are not in memory any more, on a thread that may wait for the disk.
void Outbound::load(Request& request) {
  request.reading = true;
  all_.node->files().post([this,
                           alive = alive_,
                           generation = generation_,
                           id = request.what.id,
                           message = std::get<Replicate>(request.what.message),
                           places = std::move(request.what.places)] {
    std::vector<StoredEntry> stored;
    std::vector<raftwire::Entry> entries;
    bool sound = true;
    for (const auto& place : places) {
      auto entry = place.read();
      sound = sound && entry.has_value();
      if (!sound) break;
      stored.push_back(std::move(*entry));
      entries.push_back(stored.back().entry);
    }
    Bytes bytes;
    if (sound) {
      bytes = encode_entries(
          message, all_.node->header(), all_.config.node.core.address, std::move(entries));
    }
    static_cast<void>(
        all_.loops.post(Node::kHome, [this, alive, generation, id, encoded = std::move(bytes)] {
          if (*alive && generation == generation_) loaded(id, encoded);
        }));
  });
}

void Outbound::loaded(SendId id, Bytes bytes) {
  const auto request = std::ranges::find(requests_, id, [](const auto& r) { return r.what.id; });
  if (request == requests_.end()) return;
  if (bytes.empty()) return fail(SY_CLOSE_INTERNAL);
  request->reading = false;
  request->what.places.clear();
  request->what.bytes = std::move(bytes);
  write();
}

void Outbound::write() {
  while (connection_ && !writing_) {
    fill_output();
    if (!connection_ || output_.empty()) return;
    const auto transfer = connection_.try_write(output_);
    if (transfer.error && transfer.error != Status::Again) return fail(SY_CLOSE_PEER_GONE);
    output_.erase(output_.begin(), output_.begin() + static_cast<std::ptrdiff_t>(transfer.bytes));
    if (output_.empty()) continue;
    const auto slice = to_c(std::span<const std::byte>{output_});
    if (connection_.get()->api->write(connection_.get(), &slice, 1, &Outbound::written, this) !=
        SY_OK) {
      return fail(SY_CLOSE_INTERNAL);
    }
    writing_ = true;
  }
}

void Outbound::written(void* context, sy_status status, std::size_t) {
  auto& self = *static_cast<Outbound*>(context);
  self.writing_ = false;
  self.output_.clear();
  if (status != SY_OK) return self.fail(SY_CLOSE_PEER_GONE);
  self.write();
}

void Outbound::readable(void* context, sy_status status, std::size_t) {
  auto& self = *static_cast<Outbound*>(context);
  self.waiting_ = false;
  if (status != SY_OK) return self.fail(SY_CLOSE_PEER_GONE);
  self.read();
}

void Outbound::read() {
  while (connection_ && !waiting_) {
    std::array<std::byte, kReadBytes> scratch; // not zeroed
    const auto transfer = connection_.try_read(scratch);
    if (transfer.error == Status::Again) {
      if (connection_.get()->api->wait_readable(connection_.get(), &Outbound::readable, this) !=
          SY_OK) {
        return fail(SY_CLOSE_INTERNAL);
      }
      waiting_ = true;
      return;
    }
    if (transfer.error || transfer.bytes == 0) return fail(SY_CLOSE_PEER_GONE);
    input_.insert(
        input_.end(),
        scratch.begin(),
        scratch.begin() + static_cast<std::ptrdiff_t>(transfer.bytes));
    take_answers();
  }
}

/// Answers that have come together are told together.
void Outbound::take_answers() {
  // They point into this, and telling them may fail this connection or read more.
  const auto input = std::exchange(input_, {});
  std::size_t taken = 0;
  std::vector<Outcoming> answers;
  std::vector<Request> answered;
  bool broken = false;
  while (taken < input.size() && !broken) {
    if (!extent_) extent_.emplace(all_.config.limits);
    const auto frame = extent_->scan(std::span{input}.subspan(taken));
    broken = !frame || (*frame && (requests_.empty() || !requests_.front().sent));
    if (broken || !*frame) break;
    auto& request = answered.emplace_back(std::move(requests_.front()));
    requests_.pop_front();
    answers.push_back(
        {request.what.id,
         decode_answer(request.what.message, (*frame)->object),
         (*frame)->error,
         false});
    extent_.reset();
    taken += (*frame)->size;
  }
  input_.insert(input_.end(), input.begin() + static_cast<std::ptrdiff_t>(taken), input.end());
  const bool over = lane_ == Lane::Snapshot && !answers.empty();
  // Source: hashicorp/raft net_transport.go: a connection that has carried a snapshot is closed.
  if (broken || over) fail(over ? SY_CLOSE_FINISHED : SY_CLOSE_PROTOCOL_ERROR);
  if (!answers.empty()) all_.node->answered(answers);
}

} // namespace switchyard::raft
