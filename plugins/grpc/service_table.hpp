#pragma once

#include <switchyard/grpc/services.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace switchyard::grpc {

/// A method for one call. While it is held the registrant stays.
class MethodUse {
public:
  MethodUse() noexcept = default;

  MethodUse(
      const sy_grpc_service& service,
      const sy_grpc_method& method,
      const sy_journal& journal,
      sy_registration* held) noexcept
      : service_{service}, method_{&method}, journal_{&journal}, registration_{held} {}

  MethodUse(MethodUse&& other) noexcept;
  MethodUse& operator=(MethodUse&& other) noexcept;
  MethodUse(const MethodUse&) = delete;
  MethodUse& operator=(const MethodUse&) = delete;

  ~MethodUse() { release(); }

  /// Whose it is; null: the plugin's own.
  [[nodiscard]] const sy_registration* registration() const noexcept { return registration_; }

  [[nodiscard]] sy_grpc_kind kind() const noexcept { return method_->kind; }

  /// Begins a call.
  void call(sy_grpc_call* call, sy_bytes message) const {
    method_->call(method_->context != nullptr ? method_->context : service_.context, call, message);
  }

  /// Tells that the end is wanted soon.
  void cancel(sy_grpc_call* call) const {
    if (service_.cancel != nullptr) service_.cancel(service_.context, call);
  }

  void ended(sy_grpc_call* call) const {
    if (service_.ended != nullptr) service_.ended(service_.context, call);
  }

private:
  void release() noexcept;

  sy_grpc_service service_{};
  const sy_grpc_method* method_ = nullptr;
  const sy_journal* journal_ = nullptr;
  sy_registration* registration_ = nullptr; ///< null: a service of the plugin's own
};

/// Whether a service can be called.
enum class Presence {
  None,    ///< it is not registered
  Leaving, ///< it is, by somebody who takes no call any more
  Here,
};

/// What can be called, by "package.Service/Method". Any thread.
class ServiceTable {
public:
  explicit ServiceTable(const sy_journal& journal) noexcept : journal_{journal} {}

  /// Adds a service; `registration` is null for one of the plugin's own. Throws Failure: SY_EXISTS
  /// when the name is taken, SY_INVALID for what the interface does not allow.
  void add(std::string_view name, const sy_grpc_service& service, sy_registration* registration);

  /// Once it has returned, find() gives out no use of `registration` any more. Returns the name of
  /// its service, empty when it has none.
  std::string remove(sy_registration* registration);

  /// remove() for each of `gone` and add() for each of `come`, in one step for find(). Returns the
  /// names of the services of `gone`. What is thrown, as by add(), has changed nothing.
  std::vector<std::string>
  exchange(std::span<sy_registration* const> gone, std::span<const sy_binding> come);

  /// Fills `use` with the method at `path`, "/package.Service/Method", that is for `where`
  /// (SY_GRPC_ON_…); otherwise says what does not exist, in the words of grpc-go.
  [[nodiscard]] std::string find(std::string_view path, std::uint32_t where, MethodUse& use) const;

  /// Of the service `name`, as far as it is for `where`.
  [[nodiscard]] Presence presence(std::string_view name, std::uint32_t where) const;

  /// Shows every service that is for one of `where`, in the order of their names. The table is
  /// locked meanwhile.
  void visit(
      std::uint32_t where,
      const std::function<void(std::string_view name, const sy_grpc_service& service)>& visitor)
      const;

private:
  struct Service {
    sy_grpc_service entry;
    sy_registration* registration;
  };

  struct Method {
    const Service* service;
    const sy_grpc_method* entry;
  };

  struct Hash {
    using is_transparent = void;

    std::size_t operator()(std::string_view path) const noexcept {
      return std::hash<std::string_view>{}(path);
    }
  };

  void put(std::string_view name, const sy_grpc_service& service, sy_registration* registration);
  std::string take(const sy_registration* registration);
  [[nodiscard]] std::string missing(std::string_view path, std::uint32_t where) const;

  const sy_journal& journal_;
  mutable std::shared_mutex mutex_;
  std::map<std::string, Service, std::less<>> services_;
  std::unordered_map<std::string, Method, Hash, std::equal_to<>> methods_; ///< by their paths
};

} // namespace switchyard::grpc
