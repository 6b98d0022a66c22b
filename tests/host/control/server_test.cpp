#include "unix_socket.hpp"

#include <host/control/client.hpp>
#include <host/control/server.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <fstream>
#include <thread>

namespace switchyard::host {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

/// A control server on a thread of its own; it answers with the request it got.
class Running {
public:
  explicit Running(const std::string& path, const ControlLimits& limits = {})
      : server_{ControlServer::listen(
            context_,
            path,
            [](const json::object& request) {
              return json::object{{"got", request}};
            },
            limits)} {
    if (server_) thread_ = std::thread{[this] { context_.run(); }};
  }

  ~Running() {
    context_.stop();
    if (thread_.joinable()) thread_.join();
  }

  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  /// Why it does not run; empty when it does.
  [[nodiscard]] std::string refusal() const { return server_ ? "" : server_.error(); }

private:
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      context_.get_executor()};
  boost::system::result<std::unique_ptr<ControlServer>, std::string> server_;
  std::thread thread_;
};

std::string answer_to(const std::string& path, const std::string& request) {
  const UnixSocket socket;
  if (!socket.connect(path)) return "not connected";
  socket.send(request);
  return socket.receive_all();
}

TEST(ControlServer, AnswersOneRequestAConnection) {
  const TempDir dir;
  const auto path = dir.file("control.sock");
  const Running server{path};
  ASSERT_EQ(server.refusal(), "");

  for (int i = 0; i < 3; ++i) {
    const auto answer = ask(path, {{"command", "status"}, {"i", i}});
    ASSERT_TRUE(answer) << answer.error().text;
    EXPECT_EQ(
        json::serialize(answer->at("got")),
        R"({"command":"status","i":)" + std::to_string(i) + "}");
  }
  EXPECT_EQ(answer_to(path, "{}\n{}\n"), "{\"got\":{}}\n");
}

TEST(ControlServer, RefusesWhatIsNoRequest) {
  const TempDir dir;
  const auto path = dir.file("control.sock");
  ControlLimits limits;
  limits.request_bytes = 100;
  const Running server{path, limits};
  ASSERT_EQ(server.refusal(), "");

  const std::string no_object = "{\"error\":\"the request is no JSON object\"}\n";
  const std::string too_long = "{\"error\":\"the request is too long\"}\n";
  EXPECT_EQ(answer_to(path, "\n"), no_object);
  EXPECT_EQ(answer_to(path, "[]\n"), no_object);
  EXPECT_EQ(answer_to(path, "{\"a\":\n"), no_object);
  EXPECT_EQ(answer_to(path, std::string(90, '[') + "\n"), no_object)
      << "deeper than the parser goes";
  EXPECT_EQ(answer_to(path, std::string(101, ' ')), too_long);
  EXPECT_EQ(answer_to(path, "{}\n"), "{\"got\":{}}\n") << "goes on";
}

TEST(ControlServer, ClosesAConnectionThatSaysNothing) {
  const TempDir dir;
  const auto path = dir.file("control.sock");
  ControlLimits limits;
  limits.timeout = 20ms;
  const Running server{path, limits};
  ASSERT_EQ(server.refusal(), "");
  EXPECT_EQ(answer_to(path, "{\"half\":"), "");
}

// A step of a swap may hold up the thread for longer than a line may take to leave.
TEST(ControlServer, KeepsAConnectionWhileItsThreadIsHeldUp) {
  const TempDir dir;
  const auto path = dir.file("control.sock");
  boost::asio::io_context context{1};
  const ControlLimits limits{.timeout = 200ms};
  const auto dispatch = [&](const json::object&) {
    ControlReply reply;
    boost::asio::post(context, [&context, &limits, reply] {
      reply.say(json::object{{"phase", "begun"}}); // is written behind what is posted next
      boost::asio::post(context, [&context, &limits, reply] {
        const auto limit_over = std::chrono::steady_clock::now() + 2 * limits.timeout;
        while (std::chrono::steady_clock::now() < limit_over) {
        }
        boost::asio::post(context, [reply] { reply.end(json::object{{"held", "up"}}); });
      });
    });
    return reply;
  };
  const auto server =
      ControlServer::listen(context, path, ControlServer::Dispatch{dispatch}, limits);
  ASSERT_TRUE(server);
  const auto work = boost::asio::make_work_guard(context);
  std::thread thread{[&] { context.run(); }};
  EXPECT_EQ(answer_to(path, "{}\n"), "{\"phase\":\"begun\"}\n{\"held\":\"up\"}\n");
  context.stop();
  thread.join();
}

TEST(ControlServer, ServesABoundedNumberAtOnce) {
  const TempDir dir;
  const auto path = dir.file("control.sock");
  ControlLimits limits;
  limits.timeout = 50ms;
  limits.clients = 2;
  const Running server{path, limits};
  ASSERT_EQ(server.refusal(), "");

  const UnixSocket first;
  const UnixSocket second;
  ASSERT_TRUE(first.connect(path) && second.connect(path));
  EXPECT_EQ(answer_to(path, "{}\n"), "{\"got\":{}}\n");

  char byte = 0;
  EXPECT_EQ(recv(first.get(), &byte, 1, MSG_DONTWAIT), 0)
      << "the third was served before the first had left";
}

TEST(ControlServer, KeepsItsSocketToItsUser) {
  const TempDir dir;
  const auto path = dir.file("control.sock");
  const Running server{path};
  ASSERT_EQ(server.refusal(), "");

  struct stat status {};

  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777u, 0600u);
}

TEST(ControlServer, HearsNobodyElseEvenIfTheModeLetsThem) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  const TempDir dir;
  const auto path = dir.file("control.sock");
  const Running server{path};
  ASSERT_EQ(server.refusal(), "");
  ASSERT_EQ(chmod(dir.file("").c_str(), 0755), 0);
  ASSERT_EQ(chmod(path.c_str(), 0666), 0);

  const auto child = fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    if (setuid(kNobody) != 0) _exit(2);
    const auto answer = answer_to(path, "{}\n");
    _exit(answer == "{\"error\":\"this control socket belongs to another user\"}\n" ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(ControlServer, MakesItsDirectoryAndTakesItsSocketAway) {
  const TempDir dir;
  const auto path = dir.file("data/control.sock");
  {
    const Running server{path};
    ASSERT_EQ(server.refusal(), "");

    struct stat status {};

    ASSERT_EQ(stat(dir.file("data").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777u, 0700u);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(ControlServer, RefusesThePathOfALivingServer) {
  const TempDir dir;
  const auto path = dir.file("control.sock");
  const Running first{path};
  ASSERT_EQ(first.refusal(), "");
  {
    const Running second{path};
    EXPECT_EQ(
        second.refusal(),
        "another server has the control socket " + path +
            "; stop it, or give this one its own host.data_dir or host.control_socket");
  }
  EXPECT_EQ(answer_to(path, "{}\n"), "{\"got\":{}}\n") << "the second left the first alone";
}

TEST(ControlServer, ReplacesTheSocketOfADeadServer) {
  const TempDir dir;
  const auto path = dir.file("control.sock");
  {
    const UnixSocket dead;
    ASSERT_TRUE(dead.bind(path));
  }
  ASSERT_TRUE(std::filesystem::is_socket(path));
  const Running server{path};
  ASSERT_EQ(server.refusal(), "");
  EXPECT_EQ(answer_to(path, "{}\n"), "{\"got\":{}}\n");
}

TEST(ControlServer, DoesNotRemoveAFileThatIsNoSocket) {
  const TempDir dir;
  const auto path = dir.file("control.sock");
  std::ofstream{path} << "letters";
  EXPECT_EQ(
      Running{path}.refusal(),
      path + " is in the way of the control socket; remove it, or set host.control_socket");
  EXPECT_EQ(std::filesystem::file_size(path), 7u);
}

TEST(ControlServer, SaysWhyItCannotListen) {
  const TempDir dir;
  const auto deep = dir.file("a/b/control.sock");
  EXPECT_EQ(
      Running{deep}.refusal(),
      "cannot create the lock " + deep + ".lock: No such file or directory");
  const std::string longest(108, 's');
  EXPECT_EQ(
      Running{longest}.refusal(),
      "the control socket \"" + longest +
          "\" is 108 bytes long and the system takes 1 to 107; name a shorter path");
}

} // namespace
} // namespace switchyard::host
