#include <switchyard/bytes.hpp>

#include <plugins/grpc/client_channel.hpp>
#include <plugins/grpc/metadata.hpp>

#include <boost/assert.hpp>
#include <grpcpp/create_channel_posix.h>
#include <grpcpp/support/channel_arguments.h>
#include <sys/socket.h>

#include <algorithm>
#include <limits>
#include <unistd.h>
#include <utility>

namespace switchyard::grpc {
namespace {

using std::chrono::nanoseconds;

constexpr std::size_t kWaitingMax = 1000; // calls of one channel without a connection
constexpr std::uint64_t kReceiveDefault = 4U << 20;
constexpr nanoseconds kLasted = std::chrono::seconds{10}; // then a connection was a good one
constexpr std::uint64_t kLinger = 2'000'000'000;          // ns for the last bytes to the server
constexpr int kPingTimeout = 20'000;                      // ms for the answer to a keepalive ping

std::string text(sy_string from) {
  return std::string{view(from)};
}

int clamp(std::uint64_t value) {
  return static_cast<int>(std::min<std::uint64_t>(value, std::numeric_limits<int>::max()));
}

} // namespace

/// A dial that has not come to its end; what the host keeps of the channel.
struct ClientChannel::Dialling {
  std::shared_ptr<ClientChannel> channel;
};

std::shared_ptr<ClientChannel> ClientChannel::make(
    const ClientEnvironment& environment,
    const sy_grpc_channel_options& options,
    std::uint32_t loop) {
  std::shared_ptr<ClientChannel> made{new ClientChannel{environment, options, loop}};
  made->self_ = made;
  return made;
}

ClientChannel::ClientChannel(
    const ClientEnvironment& environment,
    const sy_grpc_channel_options& options,
    std::uint32_t loop)
    : environment_{environment},
      loop_{loop},
      address_{view(options.dial->address)},
      alpn_{view(options.dial->alpn)},
      server_name_{view(options.dial->server_name)},
      trust_roots_{view(options.dial->trust_roots)},
      authority_{
          options.authority.size != 0 ? text(options.authority)
          : server_name_.empty()      ? address_
                                      : server_name_},
      dial_{*options.dial},
      max_receive_{options.max_receive == 0 ? kReceiveDefault : options.max_receive},
      max_send_{
          options.max_send == 0 ? std::numeric_limits<std::uint64_t>::max() : options.max_send},
      keepalive_{static_cast<nanoseconds::rep>(options.keepalive)},
      random_{std::random_device{}()} {
  dial_.struct_size = sizeof dial_;
  dial_.address = to_c(address_);
  dial_.alpn = to_c(alpn_);
  dial_.server_name = to_c(server_name_);
  dial_.trust_roots = to_c(trust_roots_);
}

ClientChannel::~ClientChannel() {
  environment_.owner.channel_is_gone();
}

nanoseconds ClientChannel::now() const noexcept {
  return nanoseconds{
      static_cast<nanoseconds::rep>(environment_.loops.now(environment_.host.get()))};
}

void ClientChannel::post(sy_callback run, void* context) const noexcept {
  const auto status = environment_.loops.post(environment_.host.get(), loop_, run, context);
  BOOST_VERIFY(status == SY_OK); // a channel has gone before stop() returns
}

sy_status ClientChannel::begin(
    const sy_grpc_request& request, const ClientCall::Listener& listener, sy_grpc_stream** made) {
  for (std::size_t at = 0; at < request.metadata.count; ++at) {
    if (!is_legal(request.metadata.entries[at])) return SY_INVALID;
  }
  if (!view(request.method).starts_with('/') || request.kind > SY_GRPC_BIDIRECTIONAL) {
    return SY_INVALID;
  }
  if (request.message.size > max_send_) return SY_LIMIT;
  const auto began = now();
  const auto ever =
      request.timeout > static_cast<std::uint64_t>((nanoseconds::max() - began).count());
  const auto due = ever ? nanoseconds::max()
                        : began + nanoseconds{static_cast<nanoseconds::rep>(request.timeout)};

  std::unique_lock lock{mutex_};
  if (closed_ || draining_) return SY_CANCELLED;
  if (!connection_ && waiting_.size() >= kWaitingMax) return SY_LIMIT;
  auto* const call = new ClientCall{shared_from_this(), request, listener, due};
  if (made != nullptr) *made = call;
  const auto connection = connection_;
  calls_.emplace(call, connection.get());
  if (!connection) waiting_.push_back(call);
  lock.unlock();
  connection ? call->start(connection, due - began) : look_after_waiting();
  return SY_OK;
}

void ClientChannel::drain() {
  {
    const std::lock_guard lock{mutex_};
    draining_ = true;
  }
  look_after_waiting();
}

void ClientChannel::close() {
  {
    const std::lock_guard lock{mutex_};
    closed_ = true;
    // Now, not on the loop: whoever closes the channel may end what its connections lead to next.
    for (const auto& [call, connection] : calls_)
      call->give_up();
  }
  look_after_waiting();
}

void ClientChannel::look_after_waiting() {
  const std::lock_guard lock{mutex_};
  if (looking_) return;
  looking_ = shared_from_this();
  post(&ClientChannel::looked_for, this);
}

void ClientChannel::unavailable(ClientCall& call) {
  const ::grpc::Channel* used = nullptr;
  {
    const std::lock_guard lock{mutex_};
    used = calls_.at(&call);
  }
  if (used == nullptr) return;
  for (auto& link : links_) {
    if (link.connection.get() == used && now() - link.since >= kLasted) give_up(link);
  }
}

void ClientChannel::left(ClientCall& call) {
  {
    const std::lock_guard lock{mutex_};
    calls_.erase(&call);
  }
  look();
}

// ---- on the loop

void ClientChannel::looked_for(void* self) {
  std::shared_ptr<ClientChannel> channel;
  {
    auto& looking = *static_cast<ClientChannel*>(self);
    const std::lock_guard lock{looking.mutex_};
    channel = std::exchange(looking.looking_, nullptr);
  }
  channel->look();
}

/// Does what is due; the channel may be gone afterwards.
void ClientChannel::look() {
  const auto self = self_;
  if (!self) return;
  bool closed = false;
  bool quiet = false;
  {
    const std::lock_guard lock{mutex_};
    quiet = calls_.empty();
    closed_ = closed_ || (draining_ && quiet);
    closed = closed_;
  }
  const auto waits = end_waiting(now());
  if (!closed) {
    if (waits && dialling_ == nullptr && now() >= next_dial_) dial();
    return set_timer();
  }
  if (dialling_ != nullptr) environment_.dial->cancel(environment_.host.get(), dialling_);
  if (!quiet) return set_timer();
  stop_timer();
  while (!links_.empty()) {
    auto& link = links_.front();
    give_up(link);
    sy_pump_stop(link.pump, SY_CLOSE_FINISHED);
    links_.pop_front();
  }
  if (dialling_ == nullptr) self_.reset(); // `self` is the last, or a call is, or a look to come
}

/// Ends calls that wait and have no time left, or nobody who wants them. True when some still wait.
bool ClientChannel::end_waiting(nanoseconds at) {
  std::vector<ClientCall*> ended;
  bool some = false;
  {
    const std::lock_guard lock{mutex_};
    std::erase_if(waiting_, [&](ClientCall* call) {
      const auto ends = call->due() <= at || call->cancelled();
      if (ends) ended.push_back(call);
      return ends;
    });
    some = !waiting_.empty();
  }
  for (auto* call : ended) {
    call->cancelled()
        ? call->fail(::grpc::StatusCode::CANCELLED, "cancelled")
        : call->fail(
              ::grpc::StatusCode::DEADLINE_EXCEEDED, "no connection to " + address_ + " in time");
  }
  return some;
}

void ClientChannel::dial() {
  next_dial_ = now() + backoff_.next(std::uniform_real_distribution<>{}(random_));
  dialling_ = new Dialling{self_};
  const auto status =
      environment_.dial->dial(environment_.host.get(), &dial_, &ClientChannel::dialled, dialling_);
  if (status == SY_OK) return;
  delete std::exchange(dialling_, nullptr);
  fail_waiting("cannot dial now");
}

void ClientChannel::dialled(
    void* context, sy_status status, sy_connection* wire, const sy_error* error) {
  const std::unique_ptr<Dialling> dialling{static_cast<Dialling*>(context)};
  auto& self = *dialling->channel;
  self.dialling_ = nullptr;
  if (status != SY_OK) {
    self.fail_waiting(error != nullptr ? std::string{error->text} : "cannot be dialled");
  } else if (!self.connect(wire)) {
    self.fail_waiting("this side has no descriptor left");
  }
  self.look();
}

bool ClientChannel::connect(sy_connection* wire) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
    wire->api->close(wire, SY_CLOSE_INTERNAL);
    return false;
  }
  sy_connection* inner = nullptr;
  if (environment_.loops.adopt(environment_.host.get(), ends[0], &inner) != SY_OK) {
    wire->api->close(wire, SY_CLOSE_INTERNAL);
    ::close(ends[1]);
    return false;
  }
  auto& link = links_.emplace_back(Link{*this, now(), nullptr});
  const auto status =
      sy_pump_start(environment_.host.get(), wire, inner, kLinger, &Link::ended, &link, &link.pump);
  if (status != SY_OK) {
    links_.pop_back();
    ::close(ends[1]);
    return false;
  }
  link.connection = speak(ends[1]);

  std::vector<ClientCall*> begun;
  {
    const std::lock_guard lock{mutex_};
    connection_ = link.connection;
    begun = std::exchange(waiting_, {});
    for (auto* call : begun)
      calls_[call] = connection_.get();
  }
  const auto at = now();
  for (auto* call : begun)
    call->start(link.connection, std::max(call->due() - at, nanoseconds{0}));
  return true;
}

/// gRPC's client on a connected socket, which it owns then.
std::shared_ptr<::grpc::Channel> ClientChannel::speak(int descriptor) const {
  ::grpc::ChannelArguments arguments;
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, authority_);
  arguments.SetMaxReceiveMessageSize(clamp(max_receive_));
  arguments.SetMaxSendMessageSize(-1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_CHANNELZ, 0);
  if (keepalive_.count() != 0) {
    const auto interval = std::chrono::ceil<std::chrono::milliseconds>(keepalive_).count();
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, clamp(static_cast<std::uint64_t>(interval)));
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kPingTimeout);
    arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  }
  return ::grpc::CreateCustomInsecureChannelFromFd(authority_, descriptor, arguments);
}

void ClientChannel::fail_waiting(const std::string& why) {
  std::vector<ClientCall*> failed;
  {
    const std::lock_guard lock{mutex_};
    failed = std::exchange(waiting_, {});
  }
  for (auto* call : failed)
    call->fail(::grpc::StatusCode::UNAVAILABLE, address_ + ": " + why);
}

/// No further call goes there; gRPC closes it after the last.
void ClientChannel::give_up(Link& link) {
  if (!link.connection) return;
  if (now() - link.since >= kLasted) {
    backoff_.reset();
    next_dial_ = now();
  }
  const auto connection = std::exchange(link.connection, nullptr); // goes after the mutex
  const std::lock_guard lock{mutex_};
  if (connection_ == connection) connection_.reset();
}

void ClientChannel::Link::ended(void* self) {
  auto& link = *static_cast<Link*>(self);
  auto& channel = link.channel;
  channel.give_up(link);
  channel.links_.remove_if([&link](const Link& known) { return &known == &link; });
  channel.look();
}

void ClientChannel::set_timer() {
  stop_timer();
  auto due = nanoseconds::max();
  {
    const std::lock_guard lock{mutex_};
    if (waiting_.empty()) return;
    for (const auto* call : waiting_)
      due = std::min(due, call->due());
  }
  if (dialling_ == nullptr) due = std::min(due, next_dial_);
  if (due == nanoseconds::max()) return;
  const auto status = environment_.loops.start_timer(
      environment_.host.get(),
      static_cast<std::uint64_t>(due.count()),
      &ClientChannel::timer_fired,
      this,
      &timer_);
  if (status != SY_OK) fail_waiting("this side has no timer left");
}

void ClientChannel::timer_fired(void* self) {
  auto& channel = *static_cast<ClientChannel*>(self);
  channel.timer_ = nullptr;
  channel.look();
}

void ClientChannel::stop_timer() noexcept {
  if (timer_ == nullptr) return;
  environment_.loops.stop_timer(environment_.host.get(), std::exchange(timer_, nullptr));
}

} // namespace switchyard::grpc
