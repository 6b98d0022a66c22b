#include "server.hpp"

#include "socket_file.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <sys/socket.h>

#include <exception>
#include <optional>
#include <unistd.h>
#include <utility>

namespace switchyard::host {
namespace {

namespace net = boost::asio;
namespace json = boost::json;
using Unix = net::local::stream_protocol;

constexpr std::chrono::milliseconds kPause{100};
constexpr auto kResult = net::as_tuple(net::use_awaitable);

json::object refusal(std::string_view sentence) {
  return {{"error", sentence}};
}

/// Root and the user of this process. The kernel says who connected; source: unix(7), SO_PEERCRED.
bool may_control(int descriptor) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == 0 || peer.uid == geteuid();
}

ControlReply answer(std::string_view request, const ControlServer::Dispatch& dispatch) {
  boost::system::error_code malformed;
  const auto value = json::parse(request, malformed);
  if (malformed || !value.is_object()) return refusal("the request is no JSON object");
  return dispatch(value.get_object());
}

} // namespace

/// One connection of the command line.
struct ControlServer::Client {
  explicit Client(Unix::socket accepted) : socket{std::move(accepted)} {}

  Unix::socket socket;
  net::steady_timer deadline{socket.get_executor()};
  net::steady_timer news{socket.get_executor()}; ///< never fires; a line that comes cancels it

  /// Ends whatever the client is waiting for once `limit` has passed, unless it is lifted.
  static void limit_to(std::chrono::milliseconds limit, const std::shared_ptr<Client>& client);
  void lift_limit();

  /// The next line of `reply`, and whether it is the last.
  static net::awaitable<std::pair<json::object, bool>>
  next_line(std::shared_ptr<Client> client, ControlReply reply);
};

struct ControlServer::State {
  State(net::io_context& context, SocketFile own, Dispatch answers, const ControlLimits& bounds)
      : file{std::move(own)},
        acceptor{context, Unix{}, file->take_socket()},
        dispatch{std::move(answers)},
        limits{bounds} {}

  std::optional<SocketFile> file;
  Unix::acceptor acceptor;
  Dispatch dispatch; ///< empty once the server has gone
  ControlLimits limits;
  std::size_t clients = 0;
  net::steady_timer retry{acceptor.get_executor()};

  static void accept(std::shared_ptr<State> state);
  static void pause(std::shared_ptr<State> state);
  static void enter(std::shared_ptr<State> state, Unix::socket socket);
  static net::awaitable<void>
  converse(std::shared_ptr<State> state, std::shared_ptr<Client> client);
};

void ControlServer::Client::limit_to(
    std::chrono::milliseconds limit, const std::shared_ptr<Client>& client) {
  client->deadline.expires_after(limit);
  client->deadline.async_wait([client](boost::system::error_code cancelled) {
    // While something held up this thread the wait may have ended, and what it was for as well.
    const auto lifted = client->deadline.expiry() > net::steady_timer::clock_type::now();
    if (!cancelled && !lifted) client->socket.close(cancelled);
  });
}

void ControlServer::Client::lift_limit() {
  deadline.expires_at(net::steady_timer::time_point::max());
}

net::awaitable<std::pair<json::object, bool>>
ControlServer::Client::next_line(std::shared_ptr<Client> client, ControlReply reply) {
  auto& state = *reply.state_;
  state.news = [client] { client->news.cancel(); };
  while (state.lines.empty()) {
    client->news.expires_at(net::steady_timer::time_point::max());
    co_await client->news.async_wait(kResult);
  }
  state.news = nullptr;
  auto line = std::move(state.lines.front());
  state.lines.pop_front();
  co_return std::pair{std::move(line), state.ended && state.lines.empty()};
}

void ControlServer::State::accept(std::shared_ptr<State> state) {
  auto& acceptor = state->acceptor;
  acceptor.async_accept(
      [state = std::move(state)](boost::system::error_code failed, Unix::socket socket) mutable {
        if (!state->dispatch) return;
        if (failed) return pause(std::move(state));
        enter(state, std::move(socket));
        if (state->clients < state->limits.clients) accept(std::move(state));
      });
}

/// Without a descriptor left, accept would fail again at once and for ever.
void ControlServer::State::pause(std::shared_ptr<State> state) {
  auto& timer = state->retry;
  timer.expires_after(kPause);
  timer.async_wait([state = std::move(state)](boost::system::error_code cancelled) mutable {
    if (!cancelled && state->dispatch) accept(std::move(state));
  });
}

void ControlServer::State::enter(std::shared_ptr<State> state, Unix::socket socket) {
  ++state->clients;
  const auto executor = socket.get_executor();
  auto client = std::make_shared<Client>(std::move(socket));
  auto conversation = converse(state, client);
  net::co_spawn(
      executor,
      std::move(conversation),
      [state = std::move(state),
       client = std::move(client)](const std::exception_ptr& bug) mutable {
        if (bug) std::rethrow_exception(bug);
        client->lift_limit();
        const auto was_full = state->clients-- == state->limits.clients;
        if (was_full && state->dispatch) accept(std::move(state));
      });
}

net::awaitable<void>
ControlServer::State::converse(std::shared_ptr<State> state, std::shared_ptr<Client> client) {
  ControlReply reply;
  if (may_control(client->socket.native_handle())) {
    std::string line;
    Client::limit_to(state->limits.timeout, client);
    const auto [failed, size] = co_await net::async_read_until(
        client->socket, net::dynamic_buffer(line, state->limits.request_bytes), '\n', kResult);
    if (!state->dispatch || (failed && failed != net::error::not_found)) co_return;
    client->lift_limit();
    reply =
        failed ? refusal("the request is too long") : answer({line.data(), size}, state->dispatch);
  } else {
    reply.end(refusal("this control socket belongs to another user"));
  }
  for (bool last = false; !last;) {
    auto next = co_await Client::next_line(client, reply);
    last = next.second;
    const auto line = json::serialize(next.first) + '\n';
    Client::limit_to(state->limits.timeout, client);
    const auto [failed, size] =
        co_await net::async_write(client->socket, net::buffer(line), kResult);
    client->lift_limit();
    reply.state_->abandoned = static_cast<bool>(failed);
    if (failed) co_return;
  }
}

boost::system::result<std::unique_ptr<ControlServer>, std::string> ControlServer::listen(
    net::io_context& context,
    const std::string& path,
    Dispatch dispatch,
    const ControlLimits& limits) {
  auto file = SocketFile::listen(path);
  if (!file) return file.error();
  auto state = std::make_shared<State>(context, std::move(*file), std::move(dispatch), limits);
  State::accept(state);
  return std::unique_ptr<ControlServer>{new ControlServer{std::move(state)}};
}

ControlServer::ControlServer(std::shared_ptr<State> state) : state_{std::move(state)} {}

ControlServer::~ControlServer() {
  state_->dispatch = nullptr;
  state_->file.reset();
  state_->acceptor.close();
  state_->retry.cancel();
}

} // namespace switchyard::host
