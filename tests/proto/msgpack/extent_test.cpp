#include <proto/msgpack/extent.hpp>

#include <gtest/gtest.h>
#include <tests/proto/wire.hpp>

namespace switchyard::msgpack {
namespace {

using test::wire;

/// The verdict once all of `bytes` are there, however they arrive.
boost::system::result<std::optional<std::size_t>>
arrive_bytewise(std::span<const std::byte> bytes, const Limits& limits) {
  Extent extent{limits};
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto end = extent.scan(bytes.first(size));
    if (!end || *end) return end;
  }
  return extent.scan(bytes);
}

TEST(MsgpackExtent, FindsTheEndInAnySplit) {
  const struct {
    std::string_view name;
    std::string_view object;
  } cases[] = {
      {"nil", "c0"},
      {"fixint", "7f"},
      {"u64", "cf 00 00 00 00 00 00 00 01"},
      {"empty map", "80"},
      {"text", "a3 'Seq'"},
      {"str8", "d9 03 'Seq'"},
      {"bin16", "c5 00 03 'Seq'"},
      {"extension", "c7 03 05 'Seq'"},
      {"fixext 16", "d8 05 '0123456789abcdef'"},
      {"array of arrays", "92 90 91 92 01 02"},
      {"map16", "de 00 02 a1 'a' 01 a1 'b' 92 02 03"},
      {"request header", "82 a3 'Seq' 01 ad 'ServiceMethod' ab 'Status.Ping'"},
      {"array key and map key", "82 91 01 81 02 03 80 c2"},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    auto bytes = wire(c.object);
    const auto size = bytes.size();
    const auto behind = wire("c1 ff 00");
    bytes.insert(bytes.end(), behind.begin(), behind.end());

    for (std::size_t cut = 0; cut <= size; ++cut) {
      Extent extent;
      const auto first = extent.scan(std::span{bytes}.first(cut));
      ASSERT_TRUE(first);
      if (cut < size) {
        EXPECT_EQ(*first, std::nullopt);
        EXPECT_LE(extent.size_min(), size);
      }
      EXPECT_EQ(extent.scan(bytes).value(), size);
      EXPECT_EQ(extent.scan(bytes).value(), size) << "asked again";
      EXPECT_EQ(extent.size_min(), size);
    }
    EXPECT_EQ(arrive_bytewise(bytes, {}).value(), size);
  }
}

TEST(MsgpackExtent, RefusesAsSoonAsItIsClear) {
  const struct {
    std::string_view name;
    std::string_view bytes;
    Error error;
  } cases[] = {
      {"the reserved byte", "c1", Error::Reserved},
      {"the reserved byte inside", "92 01 c1", Error::Reserved},
      {"text of 4 GiB, 5 bytes of it", "db ff ff ff ff '12345'", Error::TooLarge},
      {"bin of 4 GiB", "c6 ff ff ff ff", Error::TooLarge},
      {"extension of 4 GiB", "c9 ff ff ff ff 05", Error::TooLarge},
      {"array of 4 Gi elements", "dd ff ff ff ff", Error::TooLarge},
      {"map of 4 Gi pairs", "df ff ff ff ff", Error::TooLarge},
      {"map of just too many pairs", "de 00 08", Error::TooLarge},
      {"text one too long", "ae '12345678901234'", Error::TooLarge},
      {"small parts of too large a sum", "92 a7 '1234567' a5 '12345'", Error::TooLarge},
      {"siblings of what is too large", "9a 96 01 01 01 01 01 01", Error::TooLarge},
      {"one level too many", "91 91 91 91 01", Error::TooDeep},
      {"one level too many, by maps", "81 01 81 01 81 01 81 01 01", Error::TooDeep},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    constexpr Limits kLimits{.bytes_max = 14, .depth_max = 3};
    const auto bytes = wire(c.bytes);
    EXPECT_EQ(arrive_bytewise(bytes, kLimits).error(), c.error);

    Extent extent{kLimits};
    EXPECT_EQ(extent.scan(bytes).error(), c.error);
    EXPECT_EQ(extent.scan(bytes).error(), c.error) << "asked again";
  }
}

TEST(MsgpackExtent, TakesWhatIsJustWithinTheLimits) {
  for (const auto* object :
       {"ad '1234567890123'",
        "91 91 91 c0",
        "91 91 91 90",
        "9d 01 01 01 01 01 01 01 01 01 01 01 01 01"}) {
    const auto bytes = wire(object);
    EXPECT_EQ(arrive_bytewise(bytes, {.bytes_max = 14, .depth_max = 3}).value(), bytes.size())
        << object;
  }
}

TEST(MsgpackExtent, DoesNotMindAMillionSiblingsOrTheGreatestDepth) {
  auto bytes = wire("dd 00 0f 42 40");
  bytes.resize(bytes.size() + 1'000'000, std::byte{0xc0});
  EXPECT_EQ(Extent{}.scan(bytes).value(), bytes.size());

  test::Bytes deep(kDepthMax, std::byte{0x91});
  deep.push_back(std::byte{0xc0});
  EXPECT_EQ(Extent{}.scan(deep).value(), deep.size());
  deep.insert(deep.begin(), std::byte{0x91});
  EXPECT_EQ(Extent{}.scan(deep).error(), Error::TooDeep);
}

} // namespace
} // namespace switchyard::msgpack
