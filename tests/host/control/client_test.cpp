#include "unix_socket.hpp"

#include <host/control/client.hpp>

#include <gtest/gtest.h>

#include <thread>

namespace switchyard::host {
namespace {

using namespace std::chrono_literals;
using Kind = ControlFailure::Kind;

TEST(Ask, TellsThatNoServerRuns) {
  const TempDir dir;
  const auto path = dir.file("control.sock");
  const auto expected =
      "no server answers at " + path +
      ": is it running? Start it with \"switchyard serve\", or name its socket with --socket";

  const auto missing = ask(path, {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, Kind::NoServer);
  EXPECT_EQ(missing.error().text, expected);

  const UnixSocket dead;
  ASSERT_TRUE(dead.bind(path));
  EXPECT_EQ(ask(path, {}).error().text, expected);
}

TEST(Ask, TellsThatThePathIsTooLong) {
  const auto answer = ask(std::string(108, 'x'), {});
  ASSERT_FALSE(answer);
  EXPECT_NE(answer.error().text.find("is 108 bytes long"), std::string::npos);
}

TEST(Ask, GivesUpOnAServerThatDoesNotAnswer) {
  const TempDir dir;
  const auto path = dir.file("control.sock");
  const UnixSocket listener;
  ASSERT_TRUE(listener.bind(path));
  ASSERT_EQ(listen(listener.get(), 1), 0);

  const auto answer = ask(path, {}, 20ms);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, Kind::NoServer);
  EXPECT_EQ(answer.error().text, "the server at " + path + " does not answer: it takes too long");
}

TEST(Ask, JudgesWhatComesBack) {
  const auto no_switchyard = [](const std::string& path) {
    return "what answers at " + path + " is no switchyard";
  };

  const struct {
    std::string_view name;
    std::string answer;
    Kind kind;
    std::string error; ///< empty: what no_switchyard says
  } cases[] = {
      {"nothing", "", Kind::NoServer, ""},
      {"no JSON", "HTTP/1.1 400 Bad Request\r\n\r\n", Kind::NoServer, ""},
      {"no object", "[]\n", Kind::NoServer, ""},
      {"cut short", "{}", Kind::NoServer, ""},
      {"refusal", "{\"error\":\"no such plugin\"}\n", Kind::Refused, "no such plugin"},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const TempDir dir;
    const auto path = dir.file("control.sock");
    const UnixSocket listener;
    ASSERT_TRUE(listener.bind(path));
    ASSERT_EQ(listen(listener.get(), 1), 0);
    std::thread peer{[&] {
      const UnixSocket accepted{accept(listener.get(), nullptr, nullptr)};
      char request[64];
      [[maybe_unused]] const auto size = recv(accepted.get(), request, sizeof request, 0);
      accepted.send(c.answer);
    }};
    const auto answer = ask(path, {{"command", "status"}});
    peer.join();
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, c.kind);
    EXPECT_EQ(answer.error().text, c.error.empty() ? no_switchyard(path) : c.error);
  }
}

} // namespace
} // namespace switchyard::host
