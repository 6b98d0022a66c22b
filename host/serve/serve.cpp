#include <host/connection/plugin_place.hpp>
#include <host/serve/hand_over.hpp>
#include <host/serve/handshake.hpp>
#include <host/serve/serve.hpp>
#include <host/sniff/sniff.hpp>
#include <proto/sniff/tag.hpp>

#include <boost/asio/co_spawn.hpp>

#include <memory>
#include <unistd.h>
#include <utility>

namespace switchyard::host {

namespace net = boost::asio;

namespace {

using Found = boost::system::result<const Route*, CloseReason>;

net::awaitable<sy_status> accept_tls(Connection& connection, ssl_ctx_st* context) {
  return handshake(
      connection,
      std::make_unique<TlsSession>(context, connection.socket(), TlsSession::Role::Server));
}

Found routed(const Route* route) {
  if (route == nullptr) return CloseReason::UnknownProtocol;
  return route;
}

/// What a connection begins with, whatever a reload brings meanwhile.
struct Beginning {
  std::shared_ptr<const Config> config;
  std::shared_ptr<const TlsContexts> tls;
  std::size_t listener; ///< position in both
};

/// Sniffs, decrypts and routes. Source: proto/sniff/README.md.
net::awaitable<Found>
find_route(Connection& connection, const LoopStages& loop, const Beginning& begun) {
  const auto& tls = *begun.tls;
  const auto opening = co_await sniff(connection, tls.mutual());
  if (!opening) co_return opening.error();

  if (opening->native_tls) {
    const auto status = co_await accept_tls(connection, tls.server(ServerTls::Native));
    if (status != SY_OK) co_return opening_failure(status);
    co_return routed(loop.dispatch->routes.by_alpn(connection.tls()->alpn()));
  }
  if (opening->tag == sniff::kTlsTag) {
    const auto status = co_await accept_tls(connection, tls.server(ServerTls::Tagged));
    if (status != SY_OK) co_return opening_failure(status);
    const auto inner = co_await sniff(connection, false);
    if (!inner) co_return inner.error();
    if (inner->tag == sniff::kTlsTag || inner->tag == sniff::kTlsInsecureTag)
      co_return CloseReason::TlsInTls;
    co_return routed(loop.dispatch->routes.by_tag(inner->tag));
  }
  if (opening->tag == sniff::kTlsInsecureTag) {
    const auto status = co_await accept_tls(connection, tls.server(ServerTls::Insecure));
    if (status != SY_OK) co_return opening_failure(status);
  } else if (begun.config->tls && begun.config->tls->verify_incoming) {
    co_return CloseReason::TlsRequired;
  }
  co_return routed(loop.dispatch->routes.by_tag(opening->tag));
}

/// A listener of one protocol: the first byte is looked at only when all there is must be TLS.
net::awaitable<Found>
find_own_route(Connection& connection, const LoopStages& loop, const Beginning& begun) {
  const auto& config = begun.config->listeners[begun.listener];
  if (config.tls) {
    const auto opening = co_await sniff(connection, true);
    if (!opening) co_return opening.error();
    if (!opening->native_tls) co_return CloseReason::TlsRequired;
    const auto status = co_await accept_tls(connection, begun.tls->listener(begun.listener));
    if (status != SY_OK) co_return opening_failure(status);
  }
  co_return routed(loop.dispatch->routes.by_protocol(config.protocol));
}

/// From the first byte to the plugin. The result is the reason to close it, or nothing when a
/// plugin has it now.
net::awaitable<boost::system::result<void, CloseReason>>
open(Connection& connection, const LoopStages& loop, Beginning begun) {
  const auto route = begun.config->listeners[begun.listener].protocol.empty()
                         ? co_await find_route(connection, loop, begun)
                         : co_await find_own_route(connection, loop, begun);
  // What had come already is read without a wait: only expired() sees that the server has ended.
  if (connection.expired()) co_return loop.openings.reason();
  if (!route) co_return route.error();
  connection.leave_opening();
  // Nothing else has run on this loop since the route was found: it is of this dispatch.
  co_return hand_over(connection, **route, *loop.dispatch);
}

} // namespace

void serve(Accepted accepted, const Acceptor& acceptor, LoopStages& loop, ClientLimit& limit) {
  auto [slot, refusal] = limit.try_acquire(accepted.peer.address());
  if (!slot) {
    ::close(accepted.socket);
    loop.refuse(
        refusal == ClientLimit::Refusal::ClientLimit ? CloseReason::ClientLimit
                                                     : CloseReason::AtCapacity,
        accepted.peer);
    return;
  }
  const auto made = Connection::open(loop.connections, accepted.socket, std::move(slot));
  if (!made) {
    loop.refuse(CloseReason::AtCapacity, accepted.peer, made.error().message());
    return;
  }
  auto& connection = **made;
  const auto listener = loop.listener_of(acceptor);
  connection.set_listener(loop.listener_names[listener]);
  loop.openings.add(connection);
  net::co_spawn(
      loop.loop.executor(),
      open(connection, loop, {loop.config, loop.tls, listener}),
      [&connection, &loop, peer = accepted.peer](
          const std::exception_ptr& failure, boost::system::result<void, CloseReason> opened) {
        // Nothing on the way throws but an allocation that fails, and that ends the process.
        if (failure) std::rethrow_exception(failure);
        if (!opened) loop.refuse(opened.error(), peer, connection);
      });
}

} // namespace switchyard::host
