#include <host/config/address.hpp>

#include <gtest/gtest.h>

namespace switchyard::host {
namespace {

TEST(Address, UnderstandsIpAndPort) {
  const struct {
    std::string_view text;
    Address address;
  } cases[] = {
      {"127.0.0.1:8300", {"127.0.0.1", 8300, false, true}},
      {"127.255.0.9:0", {"127.255.0.9", 0, false, true}},
      {"0.0.0.0:65535", {"0.0.0.0", 65535, false, false}},
      {"128.0.0.1:1", {"128.0.0.1", 1, false, false}},
      {"[::1]:8300", {"::1", 8300, true, true}},
      {"[0:0:0::1]:8300", {"::1", 8300, true, true}},
      {"[::]:8300", {"::", 8300, true, false}},
      {"[::ffff:127.0.0.1]:1", {"::ffff:127.0.0.1", 1, true, true}},
      {"[::ffff:10.0.0.1]:1", {"::ffff:10.0.0.1", 1, true, false}},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.text);
    EXPECT_EQ(parse_address(c.text), c.address);
  }
}

TEST(Address, RefusesWhatIsNone) {
  using namespace std::string_view_literals;
  const std::string_view cases[] = {
      "",
      ":",
      ":8300",
      "127.0.0.1",
      "127.0.0.1:",
      "127.1:8300",
      "host:8300",
      "1.2.3.4:-1",
      "1.2.3.4:65536",
      "1.2.3.4:83x",
      "::1:8300",
      "[::1]",
      "[::1:8300",
      "[127.0.0.1]:83",
      "[]:8300",
      "[fe80::1%lo]:8300",
      "1.2.3.4: 1",
      "127.0.0.1\0:83"sv,
      "1.2.3.4.5:1",
  };

  for (const auto text : cases) {
    SCOPED_TRACE(text);
    EXPECT_EQ(parse_address(text), std::nullopt);
  }
}

} // namespace
} // namespace switchyard::host
