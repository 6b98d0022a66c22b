extern "C" {
#include <sdk/example/grpc_greeter/message.h>
}

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace {

using namespace std::string_literals;

std::optional<greeter_request> read(const std::string& bytes) {
  greeter_request request;
  if (greeter_request_read({bytes.data(), bytes.size()}, &request) == 0) return std::nullopt;
  return request;
}

std::string name_of(const greeter_request& request) {
  return {static_cast<const char*>(request.name), request.name_size};
}

TEST(GreeterRequest, ReadsFieldsAndSkipsOthers) {
  struct Case {
    std::string bytes;
    std::string name;
    std::uint32_t times;
  };

  const Case cases[] = {
      {"", "", 0},
      {"\x0a\x03you"s, "you", 0},
      {"\x0a\x00"s, "", 0},
      {"\x0a\x03you\x10\x07"s, "you", 7},
      {"\x10\x07\x0a\x03you"s, "you", 7},
      {"\x0a\x03you\x0a\x02me"s, "me", 0},
      {"\x10\x96\x01"s, "", 150},
      {"\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s, "", 0xFFFFFFFF},
      {"\x18\x01\x22\x02xx\x29"
       "12345678\x35"
       "1234\x0a\x01n"s,
       "n",
       0},
      {"\x12\x02xx"s, "", 0},   // `times` of another type
      {"\x0a\x80\x00"s, "", 0}, // a varint with a group too many
      {"\x0a\x80\x02" + std::string(256, 'n'), std::string(256, 'n'), 0},
  };
  for (const auto& [bytes, name, times] : cases) {
    const auto request = read(bytes);
    ASSERT_TRUE(request) << testing::PrintToString(bytes);
    EXPECT_EQ(name_of(*request), name);
    EXPECT_EQ(request->times, times);
  }
}

TEST(GreeterRequest, RefusesWhatIsNoMessage) {
  const std::string cases[] = {
      "\x0a"s,                                         // no length
      "\x0a\x03yo"s,                                   // shorter than it says
      "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s, // 2^64 - 1 bytes
      "\x10"s,
      "\x10\x80"s,
      "\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"s, // beyond 64 bits
      "\x02\x01x"s,                                    // field 0
      "\x0b\x0c"s,                                     // a group
      "\x0e\x00"s,                                     // no such wire type
      "\x29"
      "1234567"s,
      "\x35"
      "123"s,
      "\x0a\x81\x02" + std::string(257, 'n'), // a name that is too long
  };
  for (const auto& bytes : cases)
    EXPECT_FALSE(read(bytes)) << testing::PrintToString(bytes);
}

TEST(GreeterGreeting, IsAMessage) {
  for (const std::size_t size : {0U, 1U, 119U, 120U, 256U}) {
    const std::string name(size, 'n');
    greeter_request request{};
    name.copy(static_cast<char*>(request.name), size);
    request.name_size = size;
    unsigned char message[GREETER_GREETING_MAX];
    const auto written = greeter_greeting_write(&request, message);
    ASSERT_LE(written, sizeof message);
    // A Greeting has its text where a request has its name; too long for that, it is cut off here.
    const std::string bytes{reinterpret_cast<const char*>(message), written};
    const auto text = "Hello, " + name + "!";
    EXPECT_EQ(bytes.substr(bytes.size() - text.size()), text);
    if (text.size() <= GREETER_NAME_MAX) {
      EXPECT_EQ(name_of(read(bytes).value()), text);
    }
  }
}

} // namespace
