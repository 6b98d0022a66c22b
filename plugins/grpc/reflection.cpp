#include <switchyard/bytes.hpp>

#include <plugins/grpc/reflection.hpp>

#include <grpc/reflection/v1/reflection.pb.h>

#include <array>
#include <atomic>
#include <grpc_reflection_v1_reflection.descriptors.h>
#include <grpc_reflection_v1alpha_reflection.descriptors.h>
#include <limits>
#include <memory>
#include <mutex>
#include <utility>

namespace switchyard::grpc {

namespace v1 = ::grpc::reflection::v1;

/// One request, with the table locked.
struct Reflection::Answering {
  const Reflection& self;
  std::uint32_t where;
  v1::ServerReflectionResponse& response;

  void fail(sy_grpc_code code, const std::string& text) {
    auto& error = *response.mutable_error_response();
    error.set_error_code(static_cast<std::int32_t>(code));
    error.set_error_message(text);
  }

  /// Calls `look` with the descriptors of each service that is shown here, until it says true.
  template <class Look>
  bool any(Look look) {
    for (const auto& [name, shown] : self.services_) {
      if ((shown.flags & where) != 0 && look(shown.descriptors)) return true;
    }
    return false;
  }

  /// Answers with the file that `find` gives for a set, or says that `what` is not known.
  template <class Find>
  void file(const std::string& what, Find find) {
    const auto found = any([&](const DescriptorSet& set) {
      const auto* file = find(set);
      if (file == nullptr) return false;
      auto& files = *response.mutable_file_descriptor_response();
      for (const auto* each : set.with_imports(*file))
        files.add_file_descriptor_proto(each->bytes);
      return true;
    });
    if (!found) fail(SY_GRPC_NOT_FOUND, what + " is not known here");
  }

  void services() {
    auto& list = *response.mutable_list_services_response();
    for (const auto& [name, shown] : self.services_) {
      if ((shown.flags & where) != 0) list.add_service()->set_name(name);
    }
  }

  void extensions(const std::string& type) {
    bool known = false;
    std::map<std::int32_t, bool> numbers; // ascending, each once
    any([&](const DescriptorSet& set) {
      known = known || set.file_of_symbol(type) != nullptr;
      for (const auto number : set.extensions_of(type))
        numbers.emplace(number, true);
      return false;
    });
    if (!known && numbers.empty()) return fail(SY_GRPC_NOT_FOUND, type + " is not known here");
    auto& all = *response.mutable_all_extension_numbers_response();
    all.set_base_type_name(type);
    for (const auto& [number, there] : numbers)
      all.add_extension_number(number);
  }

  void answer(const v1::ServerReflectionRequest& request) {
    using Request = v1::ServerReflectionRequest;
    switch (request.message_request_case()) {
    case Request::kFileByFilename:
      return file(request.file_by_filename(), [&](const DescriptorSet& set) {
        return set.file(request.file_by_filename());
      });
    case Request::kFileContainingSymbol:
      return file(request.file_containing_symbol(), [&](const DescriptorSet& set) {
        return set.file_of_symbol(request.file_containing_symbol());
      });
    case Request::kFileContainingExtension: {
      const auto& wanted = request.file_containing_extension();
      const auto number = std::to_string(wanted.extension_number());
      return file(
          "extension " + number + " of " + wanted.containing_type(), [&](const DescriptorSet& set) {
            return set.file_of_extension(wanted.containing_type(), wanted.extension_number());
          });
    }
    case Request::kAllExtensionNumbersOfType:
      return extensions(request.all_extension_numbers_of_type());
    case Request::kListServices: return services();
    case Request::MESSAGE_REQUEST_NOT_SET:
      return fail(SY_GRPC_INVALID_ARGUMENT, "the request asks for nothing that is known");
    }
  }
};

Reflection::Shown Reflection::read(std::string_view name, const sy_grpc_service& service) {
  if (service.descriptor_set.size == 0) return {service.flags, {}};
  Shown shown{service.flags, DescriptorSet{view(service.descriptor_set)}};
  shown.descriptors.require(name, service);
  return shown;
}

void Reflection::add(std::string_view name, Shown shown) {
  if ((shown.flags & SY_GRPC_PRIVATE) != 0) return;
  const std::unique_lock lock{mutex_};
  services_.insert_or_assign(std::string{name}, std::move(shown));
}

void Reflection::remove(std::string_view name) {
  const std::unique_lock lock{mutex_};
  const auto found = services_.find(name);
  if (found != services_.end()) services_.erase(found);
}

void Reflection::exchange(
    const std::vector<std::string>& gone, std::vector<std::pair<std::string, Shown>> come) {
  const std::unique_lock lock{mutex_};
  for (const auto& name : gone)
    services_.erase(name);
  for (auto& [name, shown] : come) {
    if ((shown.flags & SY_GRPC_PRIVATE) == 0) services_.insert_or_assign(name, std::move(shown));
  }
}

std::optional<std::string> Reflection::answer(sy_bytes request, std::uint32_t where) const {
  v1::ServerReflectionResponse response;
  auto& asked = *response.mutable_original_request();
  if (request.size > std::numeric_limits<int>::max() ||
      !asked.ParseFromArray(request.data, static_cast<int>(request.size))) {
    return std::nullopt;
  }
  response.set_valid_host(asked.host());
  {
    const std::shared_lock lock{mutex_};
    Answering{*this, where, response}.answer(asked);
  }
  return response.SerializeAsString();
}

namespace {

/// One stream: receive, answer, receive, … One operation at a time refers to it.
class Conversation {
public:
  static void begin(void* reflection, sy_grpc_call* call, sy_bytes) {
    auto* const made = new Conversation{*static_cast<const Reflection*>(reflection), call};
    call->user = made;
    made->ask();
  }

  static void cancel(void*, sy_grpc_call* call) {
    static_cast<Conversation*>(call->user)->finish(SY_GRPC_UNAVAILABLE, "the server is going away");
  }

  static void ended(void*, sy_grpc_call* call) { delete static_cast<Conversation*>(call->user); }

private:
  Conversation(const Reflection& reflection, sy_grpc_call* call)
      : reflection_{reflection}, call_{call} {
    sy_grpc_call_info info{};
    info.struct_size = sizeof info;
    call->api->describe(call, &info);
    where_ = info.external != 0 ? SY_GRPC_ON_EXTERNAL : SY_GRPC_ON_INTERNAL;
  }

  void ask() {
    if (call_->api->receive(call_, &Conversation::received, this) != SY_OK) {
      finish(SY_GRPC_CANCELLED, {});
    }
  }

  static void received(void* context, sy_status status, sy_bytes message) {
    auto& self = *static_cast<Conversation*>(context);
    if (status == SY_CLOSED) return self.finish(SY_GRPC_OK, {});
    if (status != SY_OK) return self.finish(SY_GRPC_CANCELLED, {});
    const auto answer = self.reflection_.answer(message, self.where_);
    if (!answer) return self.finish(SY_GRPC_INTERNAL, "the request cannot be decoded");
    const sy_bytes bytes{answer->data(), answer->size()};
    if (self.call_->api->send(self.call_, bytes, &Conversation::sent, context) != SY_OK) {
      self.finish(SY_GRPC_CANCELLED, {});
    }
  }

  static void sent(void* context, sy_status status) {
    auto& self = *static_cast<Conversation*>(context);
    status == SY_OK ? self.ask() : self.finish(SY_GRPC_CANCELLED, {});
  }

  /// The call may be gone afterwards, and this with it.
  void finish(sy_grpc_code code, std::string_view text) {
    if (finished_.test_and_set()) return; // a cancel and the end of an operation have met
    const sy_grpc_status status{sizeof status, code, to_c(text), {}};
    call_->api->finish(call_, &status, {}, {});
  }

  const Reflection& reflection_;
  sy_grpc_call* call_;
  std::uint32_t where_;
  std::atomic_flag finished_;
};

constexpr std::string_view kInfo = "ServerReflectionInfo";
constexpr sy_grpc_method kInfoMethod{
    .struct_size = sizeof(sy_grpc_method),
    .kind = SY_GRPC_BIDIRECTIONAL,
    .name = {kInfo.data(), kInfo.size()},
    .context = nullptr,
    .call = &Conversation::begin};
constexpr std::array<const sy_grpc_method*, 1> kMethods{&kInfoMethod};

} // namespace

sy_grpc_service Reflection::service(std::string_view name, std::uint32_t where) noexcept {
  const auto alpha = name == kReflectionAlpha;
  return {
      .struct_size = sizeof(sy_grpc_service),
      .flags = where,
      .context = this,
      .methods = kMethods.data(),
      .method_count = kMethods.size(),
      .descriptor_set =
          alpha
              ? sy_bytes{grpc_reflection_v1alpha_reflection_descriptors, sizeof grpc_reflection_v1alpha_reflection_descriptors}
              : sy_bytes{grpc_reflection_v1_reflection_descriptors, sizeof grpc_reflection_v1_reflection_descriptors},
      .cancel = &Conversation::cancel,
      .ended = &Conversation::ended};
}

} // namespace switchyard::grpc
