// The yardstick: gRPC's own C++ server with one callback method, and nothing in front of it.
//
//   grpcbench-server listen|accept     prints the port of 127.0.0.1 and serves until SIGTERM
//
// With `accept` a loop of this program accepts, and hands descriptors to gRPC: what it costs that
// somebody else does so.
#include <arpa/inet.h>
#include <grpcpp/grpcpp.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <csignal>
#include <cstdio>
#include <echo.grpc.pb.h>
#include <string_view>
#include <thread>
#include <unistd.h>

namespace {

using switchyard::test::v1::EchoReply;
using switchyard::test::v1::EchoRequest;
using External = grpc::ServerBuilder::experimental_type::ExternalConnectionType;

class Echo final : public switchyard::test::v1::Echo::CallbackService {
  grpc::ServerUnaryReactor* Unary(
      grpc::CallbackServerContext* context, const EchoRequest* request, EchoReply* reply) override {
    reply->set_payload(request->payload());
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

/// A listening socket of a free port, which is stored to `port`.
int listen_somewhere(int& port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener, generic, size) != 0 || listen(listener, SOMAXCONN) != 0) return -1;
  getsockname(listener, generic, &size);
  port = ntohs(address.sin_port);
  return listener;
}

void hand_over(int listener, grpc::experimental::ExternalConnectionAcceptor& acceptor) {
  for (;;) {
    const int taken = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (taken < 0) return;
    const int on = 1;
    setsockopt(taken, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
    connection.listener_fd = listener;
    connection.fd = taken;
    acceptor.HandleNewConnection(&connection);
  }
}

} // namespace

int main(int argc, char** argv) {
  const bool accepts = argc == 2 && std::string_view{argv[1]} == "accept";
  if (argc != 2 || (!accepts && std::string_view{argv[1]} != "listen")) {
    std::fputs("usage: grpcbench-server listen|accept\n", stderr);
    return 2;
  }
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  Echo echo;
  grpc::ServerBuilder builder;
  builder.RegisterService(&echo);
  const auto credentials = grpc::InsecureServerCredentials();
  int port = 0;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor;
  if (accepts) {
    acceptor = builder.experimental().AddExternalConnectionAcceptor(External::FROM_FD, credentials);
  } else {
    builder.AddListeningPort("127.0.0.1:0", credentials, &port);
  }
  const auto server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  const int listener = accepts ? listen_somewhere(port) : -1;
  std::thread accepting;
  if (accepts) accepting = std::thread{hand_over, listener, std::ref(*acceptor)};
  std::printf("%d\n", port);
  std::fflush(stdout);

  int signal = 0;
  sigwait(&ends, &signal);
  if (accepts) {
    shutdown(listener, SHUT_RDWR);
    accepting.join();
    close(listener);
  }
  server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds{1});
  return 0;
}
