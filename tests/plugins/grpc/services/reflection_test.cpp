#include <switchyard/failure.hpp>

#include <plugins/grpc/reflection.hpp>

#include <gmock/gmock.h>
#include <grpc/reflection/v1/reflection.pb.h>
#include <gtest/gtest.h>
#include <tests/peer/fake_grpc_call.hpp>
#include <tests/plugins/grpc/services/descriptors.hpp>

namespace switchyard::grpc {
namespace {

using peer::FakeGrpcCall;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using Request = ::grpc::reflection::v1::ServerReflectionRequest;
using Response = ::grpc::reflection::v1::ServerReflectionResponse;

class ReflectionTest : public testing::Test {
protected:
  ReflectionTest() { add("shop.Till", SY_GRPC_ON_EXTERNAL); }

  void add(std::string_view name, std::uint32_t flags) {
    const auto service = test::shop_service(flags, set);
    reflection.add(name, {service.flags, Reflection::read("shop.Till", service).descriptors});
  }

  Response ask(const Request& request, std::uint32_t where = SY_GRPC_ON_EXTERNAL) {
    const auto bytes = request.SerializeAsString();
    Response response;
    const auto answer = reflection.answer({bytes.data(), bytes.size()}, where);
    EXPECT_TRUE(answer && response.ParseFromString(*answer));
    EXPECT_EQ(response.original_request().SerializeAsString(), bytes);
    EXPECT_EQ(response.valid_host(), request.host());
    return response;
  }

  /// The names of the files in the answer to what `fill` asks, or the error in it.
  std::vector<std::string> files(const auto& fill) {
    Request request;
    request.set_host("a.example");
    fill(request);
    const auto response = ask(request);
    if (response.has_error_response()) {
      return {
          std::to_string(response.error_response().error_code()),
          response.error_response().error_message()};
    }
    std::vector<std::string> names;
    for (const auto& bytes : response.file_descriptor_response().file_descriptor_proto()) {
      descriptor::v1::File file;
      EXPECT_TRUE(file.ParseFromString(bytes));
      names.push_back(file.name());
    }
    return names;
  }

  std::vector<std::string> services(std::uint32_t where) {
    Request request;
    request.set_list_services("*");
    std::vector<std::string> names;
    const auto response = ask(request, where);
    for (const auto& service : response.list_services_response().service())
      names.push_back(service.name());
    return names;
  }

  const std::string set = test::shop_set();
  Reflection reflection;
};

TEST_F(ReflectionTest, ListsWhatIsForThatServer) {
  add("shop.Both", SY_GRPC_ON_EXTERNAL | SY_GRPC_ON_INTERNAL);
  add("shop.Hidden", SY_GRPC_ON_EXTERNAL | SY_GRPC_PRIVATE);
  add("shop.Inside", SY_GRPC_ON_INTERNAL);
  EXPECT_THAT(services(SY_GRPC_ON_EXTERNAL), ElementsAre("shop.Both", "shop.Till"));
  EXPECT_THAT(services(SY_GRPC_ON_INTERNAL), ElementsAre("shop.Both", "shop.Inside"));
  reflection.remove("shop.Both");
  reflection.remove("shop.Hidden"); // is not there
  EXPECT_THAT(services(SY_GRPC_ON_EXTERNAL), ElementsAre("shop.Till"));
}

TEST_F(ReflectionTest, GivesFilesWithTheirImports) {
  EXPECT_THAT(
      files([](Request& r) { r.set_file_by_filename("shop.proto"); }),
      ElementsAre("shop.proto", "money.proto"));
  EXPECT_THAT(
      files([](Request& r) { r.set_file_by_filename("money.proto"); }), ElementsAre("money.proto"));
  EXPECT_THAT(
      files([](Request& r) { r.set_file_by_filename("../shop.proto"); }),
      ElementsAre("5", "../shop.proto is not known here"));
  EXPECT_THAT(
      files([](Request& r) { r.set_file_containing_symbol("shop.Till.Pay"); }),
      ElementsAre("shop.proto", "money.proto"));
  EXPECT_THAT(
      files([](Request& r) { r.set_file_containing_symbol("shop.None"); }),
      ElementsAre("5", "shop.None is not known here"));
  const auto extension = [](std::string_view type, std::int32_t number) {
    return [=](Request& r) {
      r.mutable_file_containing_extension()->set_containing_type(std::string{type});
      r.mutable_file_containing_extension()->set_extension_number(number);
    };
  };
  EXPECT_THAT(files(extension("money.Amount", 7)), ElementsAre("shop.proto", "money.proto"));
  EXPECT_THAT(
      files(extension("money.Amount", -1)),
      ElementsAre("5", "extension -1 of money.Amount is not known here"));
  EXPECT_THAT(
      files([](Request&) {}), ElementsAre("3", "the request asks for nothing that is known"));
}

TEST_F(ReflectionTest, GivesTheNumbersOfExtensions) {
  add("shop.Again", SY_GRPC_ON_EXTERNAL); // defines the same ones
  Request request;
  request.set_all_extension_numbers_of_type("money.Amount");
  const auto some = ask(request).all_extension_numbers_response();
  EXPECT_EQ(some.base_type_name(), "money.Amount");
  EXPECT_THAT(some.extension_number(), ElementsAre(7, 100));
  request.set_all_extension_numbers_of_type("shop.Order");
  const auto response = ask(request);
  ASSERT_TRUE(response.has_all_extension_numbers_response());
  EXPECT_THAT(response.all_extension_numbers_response().extension_number(), IsEmpty());
  request.set_all_extension_numbers_of_type("shop.None");
  EXPECT_EQ(ask(request).error_response().error_code(), SY_GRPC_NOT_FOUND);
}

TEST_F(ReflectionTest, ShowsNothingOfAServiceForOthers) {
  add("shop.Till", SY_GRPC_ON_INTERNAL);
  EXPECT_THAT(
      files([](Request& r) { r.set_file_by_filename("shop.proto"); }),
      ElementsAre("5", "shop.proto is not known here"));
}

TEST_F(ReflectionTest, ListsAServiceWithoutDescriptors) {
  const auto service = test::shop_service(SY_GRPC_ON_EXTERNAL, {});
  reflection.add("bare.Service", Reflection::read("bare.Service", service));
  EXPECT_THAT(services(SY_GRPC_ON_EXTERNAL), ElementsAre("bare.Service", "shop.Till"));
}

TEST_F(ReflectionTest, RefusesWhatIsBrokenAtOnce) {
  const std::string broken = "\x0a";
  EXPECT_THROW(
      static_cast<void>(
          Reflection::read("shop.Till", test::shop_service(SY_GRPC_ON_EXTERNAL, broken))),
      Failure);
  EXPECT_THROW(
      static_cast<void>(
          Reflection::read("shop.Other", test::shop_service(SY_GRPC_ON_EXTERNAL, set))),
      Failure);
}

TEST_F(ReflectionTest, ShowsItself) {
  for (const auto name : {kReflection, kReflectionAlpha}) {
    const auto service = reflection.service(name, SY_GRPC_ON_EXTERNAL);
    reflection.add(name, Reflection::read(name, service));
    EXPECT_THAT(
        files([&](Request& r) { r.set_file_containing_symbol(std::string{name}); }),
        ElementsAre(HasSubstr("/reflection.proto")));
  }
}

TEST_F(ReflectionTest, AnswersOneAfterTheOther) {
  Request request;
  request.set_list_services("");
  const auto bytes = request.SerializeAsString();
  FakeGrpcCall call{
      reflection.service(kReflection, SY_GRPC_ON_EXTERNAL), "ServerReflectionInfo", true};
  call.begin();
  for (int round = 1; round <= 2; ++round) {
    call.deliver(SY_OK, bytes);
    EXPECT_FALSE(call.receives()); // not before the answer has gone
    EXPECT_EQ(call.messages.size(), static_cast<std::size_t>(round));
    EXPECT_THAT(call.messages.back(), HasSubstr("shop.Till"));
    call.sent();
  }
  call.deliver(SY_CLOSED);
  EXPECT_THAT(call.finished, ElementsAre(Pair(SY_GRPC_OK, "")));
}

TEST_F(ReflectionTest, EndsAStreamOnce) {
  const auto service = reflection.service(kReflection, SY_GRPC_ON_EXTERNAL);
  {
    FakeGrpcCall call{service, "ServerReflectionInfo"};
    call.begin();
    call.deliver(SY_OK, "\x0a");
    EXPECT_THAT(call.finished, ElementsAre(Pair(SY_GRPC_INTERNAL, "")));
  }
  {
    FakeGrpcCall call{service, "ServerReflectionInfo"};
    call.begin();
    call.cancel();
    call.deliver(SY_CANCELLED);
    EXPECT_THAT(call.finished, ElementsAre(Pair(SY_GRPC_UNAVAILABLE, "")));
  }
  {
    FakeGrpcCall call{service, "ServerReflectionInfo"};
    call.refuse(SY_CANCELLED);
    call.begin();
    EXPECT_THAT(call.finished, ElementsAre(Pair(SY_GRPC_CANCELLED, "")));
  }
}

} // namespace
} // namespace switchyard::grpc
