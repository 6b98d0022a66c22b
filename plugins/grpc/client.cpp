#include <switchyard/failure.hpp>
#include <switchyard/version.h>

#include <plugins/grpc/client.hpp>
#include <plugins/grpc/client_channel.hpp>

#include <utility>
#include <vector>

namespace switchyard::grpc {
namespace {

// Beyond what a number of milliseconds holds.
constexpr std::uint64_t kKeepaliveMax = std::uint64_t{24} * 3600 * 1'000'000'000;

std::uint64_t number_of(sy_grpc_channel* channel) noexcept {
  return reinterpret_cast<std::uintptr_t>(channel);
}

void check(const sy_grpc_channel_options& options) {
  if (!SY_HAS(&options, sy_grpc_channel_options, keepalive) || options.dial == nullptr ||
      !SY_HAS(options.dial, sy_dial_options, timeout)) {
    throw Failure{SY_INVALID, "the options are no sy_grpc_channel_options of this ABI"};
  }
  if (options.dial->address.size == 0) throw Failure{SY_INVALID, "a channel needs an address"};
  if (options.keepalive > kKeepaliveMax) {
    throw Failure{SY_INVALID, "the keepalive is longer than a day"};
  }
}

} // namespace

struct Client::Shared final : ClientEnvironment::Owner {
  Shared(const Host& host, const sy_loops& loops, Client::Owner& told)
      : environment{host, loops, host.find<sy_dial>(), *this}, owner{told} {}

  const ClientEnvironment environment;
  Client::Owner& owner;
  std::mutex mutex;
  // By numbers that no other provider gives, in this process or before it: a channel that is kept
  // for too long names nothing.
  std::map<std::uint64_t, std::weak_ptr<ClientChannel>> channels;
  std::random_device numbers;
  std::size_t alive = 0;
  std::uint32_t next_loop = 0;
  bool draining = false;

  void channel_is_gone() override {
    {
      const std::lock_guard lock{mutex};
      --alive;
      if (alive > 0 || !draining) return;
    }
    owner.client_is_quiet();
  }

  [[nodiscard]] std::shared_ptr<ClientChannel> find(sy_grpc_channel* channel) {
    const std::lock_guard lock{mutex};
    const auto found = channels.find(number_of(channel));
    return draining || found == channels.end() ? nullptr : found->second.lock();
  }

  /// All that are still there.
  [[nodiscard]] std::vector<std::shared_ptr<ClientChannel>> all() {
    const std::lock_guard lock{mutex};
    std::vector<std::shared_ptr<ClientChannel>> there;
    for (const auto& [number, channel] : channels) {
      if (auto held = channel.lock()) there.push_back(std::move(held));
    }
    return there;
  }

  [[nodiscard]] std::uint64_t number() {
    for (;;) {
      const auto drawn = std::uint64_t{numbers()} << 32 | numbers();
      if (drawn != 0 && !channels.contains(drawn)) return drawn;
    }
  }
};

Client::Client(const Host& host, const sy_loops& loops, Owner& owner)
    : shared_{std::make_unique<Shared>(host, loops, owner)} {}

Client::~Client() = default;

sy_grpc_channel* Client::open(const sy_grpc_channel_options& options) {
  check(options);
  auto& shared = *shared_;
  if (shared.environment.dial == nullptr) throw Failure{SY_UNSUPPORTED, "this host does not dial"};
  const std::lock_guard lock{shared.mutex};
  if (shared.draining) throw Failure{SY_CANCELLED, "the gRPC plugin is going away"};
  std::erase_if(shared.channels, [](const auto& known) { return known.second.expired(); });
  const auto loop = shared.next_loop++ % shared.environment.loops.count;
  const auto number = shared.number();
  shared.channels.emplace(number, ClientChannel::make(shared.environment, options, loop));
  ++shared.alive;
  return reinterpret_cast<sy_grpc_channel*>(static_cast<std::uintptr_t>(number));
}

void Client::close(sy_grpc_channel* channel) {
  std::shared_ptr<ClientChannel> closed;
  {
    const std::lock_guard lock{shared_->mutex};
    const auto found = shared_->channels.find(number_of(channel));
    if (found == shared_->channels.end()) return;
    closed = found->second.lock();
    if (!shared_->draining) shared_->channels.erase(found);
  }
  if (closed) closed->close();
}

sy_status Client::call(
    sy_grpc_channel* channel,
    const sy_grpc_request& request,
    const sy_grpc_events& events,
    void* context,
    sy_grpc_stream** stream) {
  const auto open = shared_->find(channel);
  if (!open) return SY_REVOKED;
  return open->begin(request, {&events, nullptr, context}, stream);
}

sy_status Client::unary(
    sy_grpc_channel* channel,
    const sy_grpc_request& request,
    sy_grpc_answered answered,
    void* context) {
  const auto open = shared_->find(channel);
  if (!open) return SY_REVOKED;
  return open->begin(request, {nullptr, answered, context}, nullptr);
}

void Client::drain() {
  bool quiet = false;
  {
    const std::lock_guard lock{shared_->mutex};
    if (std::exchange(shared_->draining, true)) return;
    quiet = shared_->alive == 0;
  }
  for (const auto& channel : shared_->all())
    channel->drain();
  if (quiet) shared_->owner.client_is_quiet();
}

void Client::abort() {
  drain();
  for (const auto& channel : shared_->all())
    channel->close();
}

} // namespace switchyard::grpc
