#pragma once

#include <switchyard/host.hpp>

#include <utility>

namespace switchyard {

/// The right to call a provider, given back on destruction. Empty when there is none. Keep it for
/// one call, not across a wait. Any thread, one at a time.
template <class Table>
class Lease {
public:
  Lease(const sy_interfaces& interfaces, sy_interface* handle) noexcept : interfaces_{&interfaces} {
    if (interfaces_->acquire(handle, &lease_) != SY_OK) lease_ = {};
  }

  Lease(Lease&& other) noexcept
      : interfaces_{other.interfaces_}, lease_{std::exchange(other.lease_, {})} {}

  Lease& operator=(Lease&&) = delete;

  ~Lease() {
    if (*this) interfaces_->release(&lease_);
  }

  explicit operator bool() const noexcept { return lease_.table != nullptr; }

  const Table* operator->() const noexcept { return static_cast<const Table*>(lease_.table); }

  /// First argument of every function in the table.
  [[nodiscard]] void* provider() const noexcept { return lease_.provider; }

private:
  const sy_interfaces* interfaces_;
  sy_lease lease_{};
};

/// A handle on another plugin's interface whose table is `Table`. Move-only. Made and destroyed on
/// control.
template <class Table>
class InterfaceHandle {
public:
  /// Throws Failure when the manifest does not require `id`.
  InterfaceHandle(const Host& host, const char* id) : interfaces_{&host.require<sy_interfaces>()} {
    auto error = make_error();
    throw_unless_ok(interfaces_->open(host.get(), id, &handle_, &error), error);
  }

  InterfaceHandle(InterfaceHandle&& other) noexcept
      : interfaces_{other.interfaces_}, handle_{std::exchange(other.handle_, nullptr)} {}

  InterfaceHandle& operator=(InterfaceHandle&&) = delete;

  ~InterfaceHandle() {
    if (handle_ != nullptr) interfaces_->close(handle_);
  }

  /// Empty while there is no provider. Any thread.
  [[nodiscard]] Lease<Table> lease() const noexcept { return {*interfaces_, handle_}; }

private:
  const sy_interfaces* interfaces_;
  sy_interface* handle_ = nullptr;
};

} // namespace switchyard
