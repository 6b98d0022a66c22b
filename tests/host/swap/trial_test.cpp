#include <host/plugin/file_descriptor.hpp>
#include <host/plugin/manifest.hpp>
#include <host/swap/trial.hpp>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <string>
#include <string_view>

namespace switchyard::host {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

/// The end that a plugin would have. What it says is there before the conversation begins.
struct Conversation {
  Conversation() {
    std::array<int, 2> ends{-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
    here = FileDescriptor{ends[0]};
    there = FileDescriptor{ends[1]};
  }

  void say(std::string_view bytes) const {
    EXPECT_EQ(::send(there.get(), bytes.data(), bytes.size(), 0), std::ssize(bytes));
  }

  void end() const { ::shutdown(there.get(), SHUT_WR); }

  [[nodiscard]] std::string heard() const {
    std::string bytes(100, '\0');
    const auto count = ::recv(there.get(), bytes.data(), bytes.size(), 0);
    bytes.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
    return bytes;
  }

  FileDescriptor here;
  FileDescriptor there;
};

TEST(Trial, EndsAsItIsAnswered) {
  enum class Then : std::uint8_t { Stays, Ends };

  const struct {
    std::string_view name;
    std::string says;
    Then then;
    TrialEnd end;
    std::string_view begin;
  } cases[] = {
      {"the answer", "pong", Then::Ends, TrialEnd::Answered, "70 6f 6e 67"},
      {"the answer among others",
       "\0pong\xff"s,
       Then::Ends,
       TrialEnd::Answered,
       "00 70 6f 6e 67 ff"},
      {"nothing", "", Then::Stays, TrialEnd::Silent, ""},
      {"the end", "", Then::Ends, TrialEnd::Closed, ""},
      {"another answer", "pang", Then::Stays, TrialEnd::Wrong, "70 61 6e 67"},
      {"another answer and the end", "pang", Then::Ends, TrialEnd::Wrong, "70 61 6e 67"},
      {"half of it and the end", "po", Then::Ends, TrialEnd::Wrong, "70 6f"},
      {"the first bytes of more",
       std::string(20, 'a'),
       Then::Ends,
       TrialEnd::Wrong,
       "61 61 61 61 61 61 61 61 61 61 61 61 61 61 61 61"},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const Conversation with;
    with.say(c.says);
    if (c.then == Then::Ends) with.end();
    const auto result =
        converse(with.here.get(), {"ping", "pong"}, std::chrono::steady_clock::now());
    EXPECT_EQ(result.end, c.end);
    EXPECT_EQ(result.begin, c.begin);
    EXPECT_EQ(result.size, c.says.size());
  }
}

TEST(Trial, SaysWhatItIsToSayAndThatItHasNoMore) {
  const Conversation with;
  with.say("pong");
  with.end();
  const auto until = std::chrono::steady_clock::now() + 1min;
  EXPECT_EQ(converse(with.here.get(), {"ping", "pong"}, until).end, TrialEnd::Answered);
  EXPECT_EQ(with.heard(), "ping");
  EXPECT_EQ(with.heard(), "") << "the end";
}

TEST(Trial, WaitsForAServerThatSpeaksFirst) {
  const Conversation with;
  with.say("220 ready\r\n");
  with.end();
  const auto until = std::chrono::steady_clock::now() + 1min;
  EXPECT_EQ(converse(with.here.get(), {"", "220 "}, until).end, TrialEnd::Answered);
}

TEST(Trial, ReadsSoMuchAndNoMore) {
  const Conversation with;
  with.say(std::string(kTrialReadMax, 'a'));
  const auto until = std::chrono::steady_clock::now() + 1min;
  const auto result = converse(with.here.get(), {"ping", "pong"}, until);
  EXPECT_EQ(result.end, TrialEnd::Wrong);
  EXPECT_EQ(result.size, kTrialReadMax);
}

} // namespace
} // namespace switchyard::host
