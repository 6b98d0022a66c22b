#include <host/plugin/handed_over.hpp>

#include <gtest/gtest.h>

namespace switchyard::host {
namespace {

using Format = std::optional<std::uint32_t>;

TEST(HandedOver, IsInTheNewestFormatThatBothKnow) {
  EXPECT_EQ(common_format({}, {}), Format{0}) << "neither says anything of formats";
  EXPECT_EQ(common_format({2, {}, {}}, {2, {}, {}}), Format{2});
  EXPECT_EQ(common_format({1, {}, {}}, {2, {1}, {}}), Format{1}) << "upwards";
  EXPECT_EQ(common_format({2, {1}, {1}}, {1, {}, {}}), Format{1}) << "downwards";
  EXPECT_EQ(common_format({3, {}, {1, 2}}, {4, {2, 1}, {}}), Format{2}) << "the newest";
  EXPECT_EQ(common_format({2, {1}, {}}, {1, {}, {}}), std::nullopt) << "it only reads it";
  EXPECT_EQ(common_format({1, {}, {}}, {2, {}, {1}}), std::nullopt) << "it only writes it";
}

} // namespace
} // namespace switchyard::host
