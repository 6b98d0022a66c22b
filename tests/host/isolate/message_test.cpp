#include <host/isolate/message.hpp>

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace switchyard::host {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

const Passed kPassed{
    .id = 0x0001'0000'0000'0002,
    .protocol = 1,
    .tag = 14,
    .tls = true,
    .listener = "server",
    .alpn = "h2",
    .server_name = "s.dc1",
    .peer_names = "a\nb",
    .remote = "127.0.0.1:1",
    .local = "127.0.0.1:2"};

const std::string kPassedBytes = "\x05\x02\0\0\0\0\0\x01\0\x01\0\0\0\x0e\0\0\0\x01"s +
                                 "\x06\0server"s + "\x02\0h2"s + "\x05\0s.dc1"s + "\x03\0a\nb"s +
                                 "\x0b\0"
                                 "127.0.0.1:1"s +
                                 "\x0b\0"
                                 "127.0.0.1:2"s;

TEST(Message, HasTheseBytes) {
  const struct {
    Message message;
    std::string bytes;
  } cases[] = {
      {LaneOpened{}, "\0"s},
      {Call{Function::Init, 0}, "\x01\0\0\0\0\0\0\0\0\0"s},
      {Call{Function::Drain, 0x0102030405060708}, "\x01\x04\x08\x07\x06\x05\x04\x03\x02\x01"s},
      {Answer{SY_OK, ""}, "\x02\0\0\0\0\0\0"s},
      {Answer{5, "no"}, "\x02\x05\0\0\0\x02\0no"s},
      {LogLine{SY_LOG_ERROR, "x"}, "\x03\x04\0\0\0\x01\0x"s},
      {Drained{}, "\x04"s},
      {kPassed, kPassedBytes},
      {Taken{}, "\x07"s},
      {Counted{true, 1.5, "n", "h"}, "\x08\x01\0\0\0\0\0\0\xf8\x3f\x01\0n\x01\0h"s},
      {PassedEnded{7, CloseReason::HungUp}, "\x06\x07\0\0\0\0\0\0\0\x10"s},
  };

  for (const auto& c : cases) {
    EXPECT_EQ(encode(c.message), c.bytes);
    EXPECT_EQ(decode(c.bytes), c.message) << testing::PrintToString(c.bytes);
  }
}

TEST(Message, RefusesWhatIsNone) {
  const struct {
    std::string_view what;
    std::string bytes;
  } cases[] = {
      {"nothing", ""},
      {"an unknown kind", "\x09"},
      {"a count without an end", "\x08\x01\0\0\0\0\0\0\xf0\x7f\x01\0n\x01\0h"s},
      {"the highest kind", "\xff"},
      {"a byte more", "\x04\0"s},
      {"a byte less", "\x01\0\0\0\0\0\0\0\0"s},
      {"a function that there is not", "\x01\x07\0\0\0\0\0\0\0\0"s},
      {"a level that there is not", "\x03\x05\0\0\0\x01\0x"s},
      {"a text that is cut off", "\x02\x05\0\0\0\x03\0no"s},
      {"a text without a length", "\x02\x05\0\0\0\x02"s},
      {"a text that is too long", "\x02\0\0\0\0\x89\x13"s + std::string(0x1389, 'x')},
      {"a connection without a number", "\x05" + std::string(8, '\0') + kPassedBytes.substr(9)},
      {"a tag above a byte", kPassedBytes.substr(0, 14) + "\x01" + kPassedBytes.substr(15)},
      {"TLS that is neither yes nor no",
       kPassedBytes.substr(0, 17) + "\x02" + kPassedBytes.substr(18)},
      {"a connection that is cut off", kPassedBytes.substr(0, kPassedBytes.size() - 1)},
      {"a reason that there is not", "\x06\x07\0\0\0\0\0\0\0\x11"s},
      {"more than a message can have", std::string(kMessageMax + 1, '\x04')},
  };

  for (const auto& c : cases)
    EXPECT_EQ(decode(c.bytes), std::nullopt) << c.what;
}

TEST(Message, KeepsTheBeginningOfALongText) {
  const auto bytes = encode(LogLine{SY_LOG_INFO, std::string(kTextMax + 1, 'x')});
  EXPECT_EQ(decode(bytes), Message{(LogLine{SY_LOG_INFO, std::string(kTextMax, 'x')})});
}

TEST(Message, ItsLargestFits) {
  const std::string longest(kTextMax + 1, 'x');
  const auto bytes =
      encode(Passed{1, 0, -1, false, longest, longest, longest, longest, longest, longest});
  EXPECT_LE(bytes.size(), kMessageMax);
  EXPECT_TRUE(decode(bytes));
}

} // namespace
} // namespace switchyard::host
