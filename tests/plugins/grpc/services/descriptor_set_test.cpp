#include <switchyard/failure.hpp>

#include <plugins/grpc/descriptor_set.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tests/plugins/grpc/services/descriptors.hpp>

namespace switchyard::grpc {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

DescriptorSet read(const std::string& bytes) {
  return DescriptorSet{std::as_bytes(std::span{bytes})};
}

std::string refusal(const auto& body) {
  try {
    body();
    return "";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.status(), SY_INVALID);
    return failure.what();
  }
}

TEST(DescriptorSet, KnowsWhereEverythingIsDefined) {
  const auto set = read(test::shop_set());
  const auto* shop = set.file("shop.proto");
  const auto* money = set.file("money.proto");
  ASSERT_TRUE(shop && money);
  const char* in_shop[] = {
      "shop.Order",
      "shop.Order.item",
      "shop.Order.payment",
      "shop.Order.Line",
      "shop.Order.Line.count",
      "shop.Order.State",
      "shop.Order.OPEN", // a value is in the scope of its enum
      "shop.Size",
      "shop.LARGE",
      "shop.extra100",
      "shop.Till",
      "shop.Till.Pay",
  };
  for (const auto* symbol : in_shop)
    EXPECT_EQ(set.file_of_symbol(symbol), shop) << symbol;
  EXPECT_EQ(set.file_of_symbol("money.Amount.cents"), money);
  for (const auto* symbol : {"", "shop", "shop.Order.State.OPEN", "Order", ".shop.Order", "x"})
    EXPECT_EQ(set.file_of_symbol(symbol), nullptr) << symbol;
  EXPECT_EQ(set.file("other.proto"), nullptr);
  EXPECT_EQ(set.file_of_extension("money.Amount", 100), shop);
  EXPECT_EQ(set.file_of_extension("money.Amount", 101), nullptr);
  EXPECT_EQ(set.file_of_extension("shop.Order", 100), nullptr);
  EXPECT_THAT(set.extensions_of("money.Amount"), ElementsAre(7, 100));
  EXPECT_THAT(set.extensions_of("shop.Order"), IsEmpty());
  EXPECT_THAT(set.with_imports(*shop), ElementsAre(shop, money));
  EXPECT_THAT(set.with_imports(*money), ElementsAre(money));
}

TEST(DescriptorSet, KeepsTheBytesOfAFile) {
  const std::string unknown = "\xF2\x3F\x03new";
  const auto set =
      read(test::shop_files([](auto&) {}, [&](auto& money) { money.MergeFromString(unknown); })
               .SerializeAsString());
  EXPECT_THAT(set.file("money.proto")->bytes, HasSubstr(unknown));
}

TEST(DescriptorSet, BearsACircleOfImports) {
  const auto set = read(test::shop_files(
                            [](auto&) {},
                            [](auto& money) {
                              money.add_dependency("shop.proto");
                              money.add_dependency("money.proto");
                            })
                            .SerializeAsString());
  EXPECT_EQ(set.with_imports(*set.file("money.proto")).size(), 2u);
}

TEST(DescriptorSet, RefusesABrokenOne) {
  using descriptor::v1::File;
  const auto with = [](const auto& change) {
    return test::shop_files(change, [](auto&) {}).SerializeAsString();
  };
  const std::pair<std::string, std::string> cases[] = {
      {"\x0a", "is no FileDescriptorSet"},
      {std::string{"\x0a\x01\x0a", 3}, "holds a file that is no FileDescriptorProto"},
      {std::string{"\x0a\x00", 2}, "holds a file without a name"},
      {test::shop_set() + test::shop_set(), "holds shop.proto twice"},
      {with([](File& file) { file.add_dependency("far.proto"); }),
       "lacks far.proto, which shop.proto imports; make it with --include_imports"},
      {with([](File& file) { file.add_message_type()->set_name("Order"); }),
       "defines shop.Order twice"},
      {with([](File& file) { file.add_enum_type()->set_name("Till"); }), "defines shop.Till twice"},
      {with([](File& file) {
         *file.add_extension() = file.extension(0);
         file.mutable_extension(2)->set_name("other");
       }),
       "extends money.Amount twice with 100"},
      {std::string((16U << 20) + 1, '\0'), "is larger than 16 MiB"},
  };
  for (const auto& [bytes, why] : cases) {
    EXPECT_EQ(refusal([&, &set = bytes] { read(set); }), "the descriptor set " + why);
  }
  EXPECT_EQ(refusal([] { read(""); }), "");
}

TEST(DescriptorSet, RefusesAnotherServices) {
  const auto bytes = test::shop_set();
  const auto set = read(bytes);
  auto service = test::shop_service(SY_GRPC_ON_INTERNAL, bytes);
  EXPECT_EQ(refusal([&] { set.require("shop.Till", service); }), "");
  EXPECT_EQ(
      refusal([&] { set.require("shop.Counter", service); }),
      "the descriptor set has no service shop.Counter in it");

  sy_grpc_method method{*service.methods[0]};
  const sy_grpc_method* const methods[] = {&method};
  service.methods = methods;
  service.method_count = 1;
  method.kind = SY_GRPC_BIDIRECTIONAL;
  EXPECT_EQ(
      refusal([&] { set.require("shop.Till", service); }),
      "the descriptor set says that shop.Till.Pay is unary");
  method.name = {"Buy", 3};
  EXPECT_EQ(
      refusal([&] { set.require("shop.Till", service); }),
      "the descriptor set has no method shop.Till.Buy in it");
}

} // namespace
} // namespace switchyard::grpc
