#pragma once

#include <switchyard/descriptor/v1/descriptor.pb.h>
#include <switchyard/grpc/services.h>

#include <cstdint>
#include <string>

namespace switchyard::grpc::test {

/// A descriptor set as protoc makes them: shop.proto with a service and most of what a file can
/// define, and money.proto, which it imports.
inline descriptor::v1::FileSet shop_files(const auto& change_shop, const auto& change_money) {
  descriptor::v1::File money;
  money.set_name("money.proto");
  money.set_package("money");
  auto& amount = *money.add_message_type();
  amount.set_name("Amount");
  amount.add_field()->set_name("cents");
  change_money(money);

  descriptor::v1::File shop;
  shop.set_name("shop.proto");
  shop.set_package("shop");
  shop.add_dependency("money.proto");
  auto& order = *shop.add_message_type();
  order.set_name("Order");
  order.add_field()->set_name("item");
  order.add_oneof_decl()->set_name("payment");
  auto& line = *order.add_nested_type();
  line.set_name("Line");
  line.add_field()->set_name("count");
  auto& state = *order.add_enum_type();
  state.set_name("State");
  state.add_value()->set_name("OPEN");
  auto& size = *shop.add_enum_type();
  size.set_name("Size");
  size.add_value()->set_name("LARGE");
  for (const auto number : {100, 7}) {
    auto& extension = *shop.add_extension();
    extension.set_name("extra" + std::to_string(number));
    extension.set_extendee(".money.Amount");
    extension.set_number(number);
  }
  auto& service = *shop.add_service();
  service.set_name("Till");
  service.add_method()->set_name("Pay");
  auto& watch = *service.add_method();
  watch.set_name("Watch");
  watch.set_server_streaming(true);
  change_shop(shop);

  descriptor::v1::FileSet set;
  set.add_file(shop.SerializeAsString());
  set.add_file(money.SerializeAsString());
  return set;
}

inline std::string shop_set() {
  const auto nothing = [](auto&) {};
  return shop_files(nothing, nothing).SerializeAsString();
}

/// Its service, for `where`; `set` outlives it.
inline sy_grpc_service shop_service(std::uint32_t where, const std::string& set) {
  static constexpr auto kAnswer = [](void*, sy_grpc_call*, sy_bytes) {};
  static constexpr sy_grpc_method kPay{sizeof kPay, SY_GRPC_UNARY, {"Pay", 3}, nullptr, kAnswer};
  static constexpr sy_grpc_method kWatch{
      sizeof kWatch, SY_GRPC_SERVER_STREAMING, {"Watch", 5}, nullptr, kAnswer};
  static constexpr const sy_grpc_method* kMethods[] = {&kPay, &kWatch};
  sy_grpc_service service{};
  service.struct_size = sizeof service;
  service.flags = where;
  service.methods = kMethods;
  service.method_count = 2;
  service.descriptor_set = {set.data(), set.size()};
  return service;
}

} // namespace switchyard::grpc::test
