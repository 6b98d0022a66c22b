#include <host/config/nearest.hpp>

#include <gtest/gtest.h>

#include <string>

namespace switchyard::host {
namespace {

TEST(Nearest, FindsTheWordThatWasMeant) {
  constexpr std::string_view kKnown[] = {
      "handshake_timeout", "drain_timeout", "spin", "ca", "host"};

  const struct {
    std::string_view word;
    std::string_view meant;
  } cases[] = {
      {"handshake_timout", "handshake_timeout"},
      {"handshaketimeout", "handshake_timeout"},
      {"drain-timeout", "drain_timeout"},
      {"spn", "spin"},
      {"hots", "host"},
      {"c", "ca"},
      {"cert", ""},
      {"", ""},
      {"wholly_different", ""},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.word);
    EXPECT_EQ(nearest(c.word, kKnown), c.meant);
  }
}

TEST(Nearest, DoesNotMeasureWordsLongerThanAnyKey) {
  const std::string word(1 << 20, 'a');
  const std::string_view known[] = {word};
  EXPECT_EQ(nearest(word, known), "");
}

} // namespace
} // namespace switchyard::host
