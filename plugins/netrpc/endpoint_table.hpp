#pragma once

#include <switchyard/netrpc/endpoints.h>

#include <cstddef>
#include <functional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

namespace switchyard::netrpc {

/// Who may reach a method: the two tables that a server has.
enum class Audience : std::uint8_t {
  Authenticated, ///< tags 0 and 4 and their ALPN names, and calls in process
  Insecure,      ///< tag 7: first contact, before a client has a certificate
};

/// An endpoint for one call. While it is held the registrant stays.
class EndpointUse {
public:
  EndpointUse() noexcept = default;

  EndpointUse(const sy_netrpc_endpoint& entry, const sy_journal& journal, sy_registration* held)
      : entry_{entry}, journal_{&journal}, registration_{held} {}

  EndpointUse(EndpointUse&& other) noexcept;
  EndpointUse& operator=(EndpointUse&& other) noexcept;
  EndpointUse(const EndpointUse&) = delete;
  EndpointUse& operator=(const EndpointUse&) = delete;

  ~EndpointUse() { release(); }

  void call(sy_netrpc_call* call, sy_bytes body) const { entry_.call(entry_.context, call, body); }

  /// Whose it is; null: the plugin's own.
  [[nodiscard]] const sy_registration* registration() const noexcept { return registration_; }

  /// Tells that the answer is wanted soon.
  void cancel(sy_netrpc_call* call) const {
    if (entry_.cancel != nullptr) entry_.cancel(entry_.context, call);
  }

private:
  void release() noexcept;

  sy_netrpc_endpoint entry_{};
  const sy_journal* journal_ = nullptr;
  sy_registration* registration_ = nullptr; ///< null: the plugin's own endpoint
};

/// What can be called, by "Service.Method". Any thread.
class EndpointTable {
public:
  explicit EndpointTable(const sy_journal& journal) noexcept : journal_{journal} {}

  /// Adds an endpoint; `registration` is null for one of the plugin's own. SY_EXISTS when the name
  /// is taken, SY_INVALID when it has no dot or the entry no function.
  [[nodiscard]] sy_status
  add(std::string_view name, const sy_netrpc_endpoint& entry, sy_registration* registration);

  /// Once it has returned, find() gives out no use of `registration` any more.
  void remove(sy_registration* registration);

  /// remove() for each of `gone` and add() for each of `come`, in one step for find(). SY_OK, or
  /// nothing has changed.
  [[nodiscard]] sy_status
  exchange(std::span<sy_registration* const> gone, std::span<const sy_binding> come);

  enum class Missing : std::uint8_t { Nothing, Method, Service, Dot };

  /// Fills `use`, or says what about `name` does not exist.
  [[nodiscard]] Missing find(std::string_view name, Audience audience, EndpointUse& use) const;

private:
  struct Endpoint {
    sy_netrpc_endpoint entry;
    sy_registration* registration;
  };

  struct Hash {
    using is_transparent = void;

    std::size_t operator()(std::string_view name) const noexcept {
      return std::hash<std::string_view>{}(name);
    }
  };

  [[nodiscard]] Missing missing(std::string_view name, Audience audience) const;

  const sy_journal& journal_;
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, Endpoint, Hash, std::equal_to<>> endpoints_;
};

} // namespace switchyard::netrpc
