#pragma once

#include <switchyard/grpc/services.h>

#include <plugins/grpc/descriptor_set.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace switchyard::grpc {

inline constexpr std::string_view kReflection = "grpc.reflection.v1.ServerReflection";
inline constexpr std::string_view kReflectionAlpha = "grpc.reflection.v1alpha.ServerReflection";

/// What tools are told of the registered services that are not private. Any thread. Source of the
/// protocol: grpc/grpc, doc/server-reflection.md.
class Reflection {
public:
  /// What is shown of a service.
  struct Shown {
    std::uint32_t flags; ///< SY_GRPC_ON_…
    DescriptorSet descriptors;
  };

  /// Reads what is to be shown. Throws Failure when the descriptor set is broken, or is one of
  /// something else.
  [[nodiscard]] static Shown read(std::string_view name, const sy_grpc_service& service);

  /// From now on tools are told of it, unless it is private.
  void add(std::string_view name, Shown shown);

  void remove(std::string_view name);

  /// Both, for many, in one step.
  void
  exchange(const std::vector<std::string>& gone, std::vector<std::pair<std::string, Shown>> come);

  /// The answer to one ServerReflectionRequest, as it is asked through `where` (SY_GRPC_ON_…);
  /// nothing when the bytes are none.
  [[nodiscard]] std::optional<std::string> answer(sy_bytes request, std::uint32_t where) const;

  /// The service of the protocol that answers so, under kReflection and kReflectionAlpha: both have
  /// the same messages. `where` it can be called is up to the caller.
  [[nodiscard]] sy_grpc_service service(std::string_view name, std::uint32_t where) noexcept;

private:
  struct Answering;

  mutable std::shared_mutex mutex_;
  std::map<std::string, Shown, std::less<>> services_;
};

} // namespace switchyard::grpc
