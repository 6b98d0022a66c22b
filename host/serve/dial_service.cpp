#include <host/connection/async.hpp>
#include <host/connection/plugin_place.hpp>
#include <host/listen/endpoint.hpp>
#include <host/serve/dial_service.hpp>
#include <host/serve/handshake.hpp>
#include <host/serve/loop_service.hpp>
#include <host/services/instance_services.hpp>
#include <proto/sniff/tag.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace switchyard::host {

namespace net = boost::asio;

namespace {

using Timer = net::basic_waitable_timer<Loop::Clock, net::wait_traits<Loop::Clock>, Loop::Executor>;

/// The other forms say by themselves what is spoken.
bool writes_tag(sy_dial_tls tls) {
  return tls != SY_DIAL_ALPN && tls != SY_DIAL_INSECURE;
}

} // namespace

/// One dial in progress, with its own copy of what was asked for.
struct Dial {
  Dial(
      InstanceServices& owner_,
      LoopStages& loop_,
      const sy_dial_options& options,
      sy_dial_done done_,
      void* context_)
      : owner{owner_},
        loop{loop_},
        done{done_},
        context{context_},
        tls{options.tls},
        tag{writes_tag(options.tls) ? options.tag : SY_DIAL_NO_TAG},
        use_certificate{options.use_certificate != 0},
        address{options.address.data, options.address.size},
        alpn{options.alpn.data, options.alpn.size},
        server_name{options.server_name.data, options.server_name.size},
        trust_roots{options.trust_roots.data, options.trust_roots.size},
        timer{loop_.loop.executor()},
        lookup_end{loop_.loop.executor()} {}

  sy_status fail(sy_status status, const std::string& sentence) {
    text = sentence;
    return status;
  }

  /// Ends it with `status`, later.
  void give_up(sy_status status) {
    if (ended || given_up != SY_OK) return;
    given_up = status;
    loop.resolver.abandon(lookup);
    lookup_end.cancel();
    if (connection != nullptr) connection->expire();
  }

  InstanceServices& owner;
  LoopStages& loop;
  const sy_dial_done done;
  void* const context;
  sy_dial_tls tls;
  const std::int32_t tag;
  const bool use_certificate;
  const std::string address;
  const std::string alpn;
  const std::string server_name;
  const std::string trust_roots;

  Timer timer;      // for all of it
  Timer lookup_end; // never fires: its wait ends when the lookup has
  std::uint64_t lookup = 0;
  std::optional<Resolver::Found> found;
  sy_status given_up = SY_OK; // or how it is to end
  bool ended = false;
  Connection* connection = nullptr;
  std::string text; // why it failed
};

namespace {

/// One attempt to connect; on SY_OK `dial.connection` is there.
net::awaitable<sy_status> connect(Dial& dial, const net::ip::tcp::endpoint& endpoint) {
  if (dial.given_up != SY_OK) co_return dial.fail(SY_TIMED_OUT, "no answer from " + dial.address);
  const int socket =
      ::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0)
    co_return dial.fail(SY_LIMIT, "cannot open a socket: " + std::string{std::strerror(errno)});
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  int error = 0;
  if (::connect(socket, endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0)
    error = errno;
  if (error == 0 || error == EINPROGRESS) {
    const auto opened = Connection::open(dial.loop.connections, socket, {});
    if (!opened)
      co_return dial.fail(SY_LIMIT, "cannot watch a socket: " + opened.error().message());
    auto& connection = **opened;
    dial.connection = &connection;
    const auto status = co_await async_ready(connection, Direction::Write, net::use_awaitable);
    socklen_t size = sizeof error;
    if (status == SY_OK) ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
    if (status == SY_OK && error == 0) co_return SY_OK;
    dial.connection = nullptr;
    connection.close(CloseReason::PeerGone);
    if (status != SY_OK) co_return dial.fail(SY_TIMED_OUT, "no answer from " + dial.address);
  } else {
    ::close(socket);
  }
  co_return dial.fail(
      SY_REFUSED, "cannot connect to " + dial.address + ": " + std::strerror(error));
}

net::awaitable<sy_status> resolve_and_connect(Dial& dial) {
  if (const auto literal = parse_endpoint(dial.address)) co_return co_await connect(dial, *literal);
  const auto colon = dial.address.rfind(':');
  const auto host = dial.address.substr(0, colon);
  const auto port = dial.address.substr(colon + 1);
  if (dial.given_up != SY_OK) co_return dial.given_up;
  dial.lookup_end.expires_at(Timer::time_point::max());
  dial.lookup = dial.loop.resolver.start(host, port, [&dial](Resolver::Found found) {
    dial.found = std::move(found);
    dial.lookup_end.cancel();
  });
  if (dial.lookup == 0) co_return dial.fail(SY_LIMIT, "too many names are being looked up");
  co_await dial.lookup_end.async_wait(net::as_tuple(net::use_awaitable));
  if (!dial.found) co_return dial.fail(SY_TIMED_OUT, "no address for " + host + " in time");
  if (!*dial.found)
    co_return dial.fail(
        SY_NOT_FOUND, "no address for " + dial.address + ": " + dial.found->error());
  sy_status status = SY_NOT_FOUND;
  for (const auto& endpoint : **dial.found) {
    status = co_await connect(dial, endpoint);
    if (status == SY_OK || dial.given_up != SY_OK) break;
  }
  co_return status;
}

/// Why a server has closed that did so behind the handshake, as one of TLS 1.3 does when it refuses
/// our certificate; empty in clear text.
std::string last_word(Connection& connection) {
  if (connection.tls() == nullptr) return {};
  std::byte ignored{};
  std::size_t transferred = 0;
  static_cast<void>(connection.try_read(&ignored, 1, transferred)); // the alert, if there is one
  return connection.tls()->error().empty() ? "" : ": " + connection.tls()->error();
}

sy_status send_tag(Dial& dial, std::uint8_t tag) {
  const sy_bytes slice{&tag, 1};
  std::size_t sent = 0;
  // The first bytes on a socket always fit.
  const auto status = dial.connection->try_write(&slice, 1, sent);
  if (status == SY_OK) return status;
  return dial.fail(status, dial.address + " closed the connection" + last_word(*dial.connection));
}

net::awaitable<sy_status> start_tls(Dial& dial) {
  const auto contexts = dial.loop.tls;
  const auto own = dial.trust_roots.empty()
                       ? TlsContexts::Context{}
                       : contexts->new_client(dial.trust_roots, dial.use_certificate);
  if (!dial.trust_roots.empty() && own == nullptr)
    co_return dial.fail(SY_INVALID, "no certificate can be read in the trust roots given");
  auto session = std::make_unique<TlsSession>(
      own != nullptr ? own.get() : contexts->client(dial.use_certificate),
      dial.connection->socket(),
      TlsSession::Role::Client);
  session->ask_for(dial.server_name, dial.tls == SY_DIAL_ALPN ? dial.alpn : std::string{});
  const auto status = co_await handshake(*dial.connection, std::move(session));
  if (status == SY_TIMED_OUT)
    co_return dial.fail(status, "no TLS handshake with " + dial.address + " in time");
  if (status != SY_OK)
    co_return dial.fail(
        SY_REFUSED,
        "TLS handshake with " + dial.address + " failed: " + dial.connection->tls()->error());
  if (dial.tls == SY_DIAL_ALPN && dial.connection->tls()->alpn() != dial.alpn)
    co_return dial.fail(SY_REFUSED, dial.address + " does not speak " + dial.alpn + " (ALPN)");
  co_return SY_OK;
}

net::awaitable<sy_status> establish(Dial& dial) {
  auto status = co_await resolve_and_connect(dial);
  if (status == SY_OK && (dial.tls == SY_DIAL_TLS || dial.tls == SY_DIAL_INSECURE))
    status = send_tag(dial, dial.tls == SY_DIAL_TLS ? sniff::kTlsTag : sniff::kTlsInsecureTag);
  if (status == SY_OK && dial.tls != SY_DIAL_CLEAR) status = co_await start_tls(dial);
  if (status == SY_OK && dial.tag != SY_DIAL_NO_TAG)
    status = send_tag(dial, static_cast<std::uint8_t>(dial.tag));
  co_return status;
}

net::awaitable<void> run(std::shared_ptr<Dial> dial) {
  co_await net::post(dial->loop.loop.executor(), net::use_awaitable); // never from inside dial()
  auto status = co_await establish(*dial);
  dial->ended = true;
  dial->timer.cancel();
  std::erase(dial->loop.dials, dial.get());
  if (dial->given_up == SY_CANCELLED)
    status = dial->fail(
        SY_CANCELLED,
        dial->owner.draining ? "the plugin is draining" : "the plugin has cancelled it");
  auto place = status == SY_OK ? take_place(dial->owner) : PluginPlace{};
  if (status == SY_OK && !place) status = dial->fail(SY_CANCELLED, "the plugin is draining");
  if (status == SY_OK) {
    dial->connection->route_to(std::move(place), {}, dial->tag);
  } else if (dial->connection != nullptr) {
    std::exchange(dial->connection, nullptr)->close(CloseReason::PeerGone);
  }
  sy_error error{};
  error.struct_size = sizeof error;
  error.code = status;
  dial->text.copy(error.text, sizeof error.text - 1);
  dial->done(dial->context, status, dial->connection, &error);
  dial->owner.ended(dial->owner.dials);
}

sy_status
dial(const sy_host* host, const sy_dial_options* options, sy_dial_done done, void* context) {
  auto& owner = InstanceServices::of(host);
  LoopStages* loop = current_loop(host);
  const std::string_view address{options->address.data, options->address.size};
  if (loop == nullptr || options->tls > SY_DIAL_OUTGOING || options->tag > 255 ||
      options->tag < SY_DIAL_NO_TAG || address.find(':') == address.npos)
    return SY_INVALID;
  owner.dials.fetch_add(1); // before the look at `draining`: cancel_dials() sees one of the two
  if (owner.phase == ServicePhase::Stopped || owner.draining) {
    owner.ended(owner.dials);
    return SY_CANCELLED;
  }

  const auto dial = std::make_shared<Dial>(owner, *loop, *options, done, context);
  loop->dials.push_back(dial.get());
  if (dial->tls == SY_DIAL_OUTGOING) {
    const auto& tls = loop->config->tls;
    dial->tls = tls && tls->verify_outgoing ? SY_DIAL_TLS : SY_DIAL_CLEAR;
  }
  const auto limit = options->timeout != 0
                         ? std::chrono::nanoseconds{static_cast<std::int64_t>(
                               std::min<std::uint64_t>(options->timeout, INT64_MAX))}
                         : std::chrono::nanoseconds{loop->config->limits.dial_timeout};
  dial->timer.expires_after(limit);
  dial->timer.async_wait([dial](boost::system::error_code) {
    dial->give_up(SY_TIMED_OUT); // nothing when it has ended, which cancels the wait
  });
  net::co_spawn(loop->loop.executor(), run(dial), [](const std::exception_ptr& failure) {
    if (failure) std::rethrow_exception(failure);
  });
  return SY_OK;
}

void cancel(const sy_host* host, void* context) {
  LoopStages* loop = current_loop(host);
  if (loop == nullptr) return;
  for (Dial* dial : loop->dials) {
    if (&dial->owner == &InstanceServices::of(host) && dial->context == context)
      dial->give_up(SY_CANCELLED);
  }
}

} // namespace

const sy_dial kDialService{sizeof(sy_dial), 0, dial, cancel};

void cancel_dials(InstanceServices& owner) {
  for (const auto& loop : loops_of(&owner.host)) {
    owner.posts.fetch_add(1); // so that it is there when this runs
    net::post(loop->loop.executor(), [&owner, &dials = loop->dials] {
      for (Dial* dial : dials) {
        if (&dial->owner == &owner) dial->give_up(SY_CANCELLED);
      }
      owner.ended(owner.posts);
    });
  }
}

} // namespace switchyard::host
