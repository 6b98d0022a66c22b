#include <switchyard/failure.hpp>

#include <plugins/grpc/reflection.hpp>

#include <google/protobuf/stubs/logging.h>
#include <grpc/reflection/v1/reflection.pb.h>

#include <algorithm>
#include <cstdlib>

using namespace switchyard;
using namespace switchyard::grpc;

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  ::google::protobuf::SetLogHandler(nullptr);
  return 0;
}

// The input is one byte, the size of a request in it, the request, and a descriptor set. Whatever a
// plugin registers and a client asks: there is an answer, and no file comes twice in it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto asked = std::min<std::size_t>(data[0], size - 1);
  const sy_bytes request{data + 1, asked};
  sy_grpc_service service{};
  service.flags = SY_GRPC_ON_EXTERNAL;
  service.descriptor_set = {data + 1 + asked, size - 1 - asked};

  Reflection reflection;
  Reflection::Shown shown{service.flags, {}};
  try {
    shown.descriptors = DescriptorSet{
        {static_cast<const std::byte*>(service.descriptor_set.data), service.descriptor_set.size}};
  } catch (const Failure& failure) {
    if (failure.status() != SY_INVALID) std::abort();
  }
  reflection.add("a.Service", std::move(shown));

  const auto answer = reflection.answer(request, SY_GRPC_ON_EXTERNAL);
  ::grpc::reflection::v1::ServerReflectionRequest read;
  if (answer.has_value() != read.ParseFromArray(request.data, static_cast<int>(request.size))) {
    std::abort();
  }
  if (!answer) return 0;
  ::grpc::reflection::v1::ServerReflectionResponse response;
  if (!response.ParseFromString(*answer)) std::abort();
  if (response.message_response_case() == response.MESSAGE_RESPONSE_NOT_SET) std::abort();
  const auto& files = response.file_descriptor_response().file_descriptor_proto();
  for (auto at = files.begin(); at != files.end(); ++at) {
    if (std::find(at + 1, files.end(), *at) != files.end()) std::abort();
  }
  return 0;
}
