// The two roles with each other, over a wire that cuts and delays as a seed says.
#include "echo.hpp"

#include <gtest/gtest.h>

#include <random>

namespace switchyard::yamux::test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kCalls = 24;

/// Sends a message on each of its streams, takes the echo and compares.
class Caller final : public Events {
public:
  Caller(Session& session, std::mt19937& random) : session_{session}, random_{random} {}

  bool call(std::size_t size) {
    const auto stream = session_.open();
    if (!stream) return false;
    Bytes message(size);
    for (auto& byte : message)
      byte = static_cast<std::byte>(random_());
    calls_[*stream].message = std::move(message);
    on_writable(*stream);
    return true;
  }

  void on_open(std::uint32_t) override { FAIL() << "the server opens nothing"; }

  void on_data(std::uint32_t stream, std::span<const std::byte> piece) override {
    auto& call = calls_.at(stream);
    call.echo.insert(call.echo.end(), piece.begin(), piece.end());
    session_.consumed(stream, piece.size());
  }

  void on_finish(std::uint32_t stream) override {
    EXPECT_EQ(calls_.at(stream).echo, calls_.at(stream).message);
    calls_.erase(stream);
    ++finished;
  }

  void on_reset(std::uint32_t) override { FAIL() << "nobody resets"; }

  void on_writable(std::uint32_t stream) override {
    auto& call = calls_.at(stream);
    call.sent += session_.write(stream, std::span{call.message}.subspan(call.sent));
    if (call.sent == call.message.size()) session_.finish(stream);
  }

  void on_go_away() override {}

  std::size_t finished = 0;

private:
  struct Call {
    Bytes message, echo;
    std::size_t sent = 0;
  };

  Session& session_;
  std::mt19937& random_;
  std::map<std::uint32_t, Call> calls_;
};

/// Carries at most a random number of bytes from one side to the other. True when there were any.
bool carry(Session& from, Session& to, Events& from_events, Events& to_events, std::size_t limit) {
  const auto ready = from.output();
  const auto piece = ready.first(std::min(ready.size(), limit));
  if (piece.empty()) return false;
  EXPECT_TRUE(to.receive(piece, to_events));
  from.consume_output(piece.size());
  from.resume(from_events);
  return true;
}

TEST(YamuxTalk, EveryByteComesBackWhateverTheWireDoes) {
  Limits limits;
  limits.streams_max = 8;
  limits.output_bytes_max = 20'000;
  for (unsigned seed = 0; seed < 6; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random{seed};
    Session client{Role::Client, limits, 0s};
    Session server{Role::Server, limits, 0s};
    Caller caller{client, random};
    Echo echo{server};

    std::size_t called = 0;
    for (bool moved = true; moved || called < kCalls;) {
      // A message of none, of a few bytes, or of more than a window.
      if (called < kCalls && random() % 4 == 0) {
        constexpr std::size_t kSizes[] = {0, 1, 33, 5'000, 70'000, kWindow + 12'345};
        if (caller.call(kSizes[random() % std::size(kSizes)])) ++called;
      }
      // A side that has much to say does not listen: that is the driver's rule.
      const auto limit = 1 + random() % 30'000;
      const auto there = server.output().size() < limits.output_bytes_max &&
                         carry(client, server, caller, echo, limit);
      const auto back = carry(server, client, echo, caller, limit);
      moved = there || back;
      EXPECT_LE(client.output().size(), 2 * limits.output_bytes_max);
      EXPECT_LE(server.output().size(), 2 * limits.output_bytes_max);
    }
    EXPECT_EQ(caller.finished, kCalls);
    EXPECT_EQ(client.stream_count(), 0u);
    EXPECT_EQ(server.stream_count(), 0u);
  }
}

} // namespace
} // namespace switchyard::yamux::test
