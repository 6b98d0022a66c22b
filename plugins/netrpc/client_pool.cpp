#include <switchyard/bytes.hpp>

#include <plugins/netrpc/client_pool.hpp>
#include <plugins/netrpc/client_session.hpp>
#include <plugins/netrpc/loop.hpp>

#include <boost/assert.hpp>

#include <algorithm>

namespace switchyard::netrpc {
namespace {

// The tag that says yamux. Source: consul's server port, "Multiplex v2".
constexpr std::int32_t kMultiTag = 4;

} // namespace

ClientPool::~ClientPool() {
  BOOST_ASSERT(servers_.empty());
}

void ClientPool::submit(sy_netrpc_invocation& invocation) {
  const auto found = std::ranges::find_if(servers_, [&](const auto& server) {
    return server->destination == invocation.destination();
  });
  if (found == servers_.end()) {
    auto& server = *servers_.emplace_back(
        std::make_unique<Server>(Server{*this, invocation.destination(), nullptr, {}}));
    server.waiting.push_back(invocation);
    return dial(server);
  }
  auto& server = **found;
  if (server.session != nullptr) return server.session->run(invocation);
  server.waiting.push_back(invocation);
}

void ClientPool::retire(const ClientSession& session) noexcept {
  std::erase_if(servers_, [&](const auto& server) { return server->session == &session; });
}

void ClientPool::abort() {
  for (const auto& server : servers_) {
    while (!server->waiting.empty())
      server->waiting.front().finish(SY_CANCELLED);
  }
}

void ClientPool::dial(Server& server) {
  sy_dial_options options{};
  options.struct_size = sizeof options;
  options.tls = server.destination.tls;
  options.tag = options.tls == SY_DIAL_ALPN ? SY_DIAL_NO_TAG : kMultiTag;
  options.use_certificate = 1;
  options.address = to_c(server.destination.address);
  options.alpn = options.tls == SY_DIAL_ALPN ? to_c("consul/rpc-multi") : sy_string{};
  options.server_name = to_c(server.destination.server_name);
  loop_.call_kept(); // for the dial
  const auto status = dial_ == nullptr
                          ? SY_UNSUPPORTED
                          : dial_->dial(host_, &options, &ClientPool::dialled, &server);
  if (status != SY_OK) dialled(&server, status, nullptr, nullptr);
}

void ClientPool::dialled(
    void* context, sy_status status, sy_connection* connection, const sy_error*) {
  auto& server = *static_cast<Server*>(context);
  auto& pool = server.pool;
  auto& loop = pool.loop_;
  Waiting waiting;
  waiting.swap(server.waiting);

  if (status == SY_OK && waiting.empty()) {
    // Whoever wanted it has given up.
    connection->api->close(connection, SY_CLOSE_FINISHED);
    pool.forget(server);
  } else if (status == SY_OK) {
    server.session = new ClientSession{loop, connection, pool};
    server.session->start(waiting);
  } else {
    pool.forget(server);
    while (!waiting.empty())
      waiting.front().finish(status);
  }
  loop.call_ended();
}

void ClientPool::forget(const Server& server) noexcept {
  std::erase_if(servers_, [&](const auto& known) { return known.get() == &server; });
}

} // namespace switchyard::netrpc
