#pragma once

#include <switchyard/journal.h>
#include <switchyard/plugin.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace switchyard {

/// Makes the head of a registrar's table of the class of its plugin, Plugin<T>. `T` has
///
///     using Entry = sy_netrpc_endpoint; // what is registered; begins with its struct_size
///     static constexpr std::string_view kEntryName = "sy_netrpc_endpoint"; // for an operator
///     void bind(std::string_view key, const Entry& entry, sy_registration* registration);
///     void unbind(sy_registration* registration);
///
/// and as far as it needs them
///
///     void exchange(std::span<sy_registration* const> gone, std::span<const sy_binding> come);
///     void end_soon(sy_registration* registration, bool all);
///
/// with the threads and meanings of sy_registrar. The first and the third report by throwing
/// Failure; they see no entry that is smaller than an Entry. What the others throw is logged.
template <class T>
class Registrar {
public:
  /// `table_size` is that of the whole table.
  [[nodiscard]] static constexpr sy_registrar describe(std::size_t table_size) noexcept {
    sy_registrar registrar{};
    registrar.struct_size = static_cast<std::uint32_t>(table_size);
    registrar.bind = &Registrar::bind;
    registrar.unbind = &Registrar::unbind;
    if constexpr (requires(T & self) { self.exchange({}, {}); }) {
      registrar.exchange = &Registrar::exchange;
    }
    if constexpr (requires(T & self) { self.end_soon(nullptr, true); }) {
      registrar.end_soon = &Registrar::end_soon;
    }
    return registrar;
  }

private:
  using Entry = typename T::Entry;

  static const Entry& checked(const void* entry, std::size_t size) {
    if (size < sizeof(Entry) || static_cast<const Entry*>(entry)->struct_size < sizeof(Entry)) {
      throw Failure{SY_INVALID, "the entry is no " + std::string{T::kEntryName} + " of this ABI"};
    }
    return *static_cast<const Entry*>(entry);
  }

  static sy_status bind(
      void* provider,
      sy_registration* registration,
      sy_string key,
      const void* entry,
      std::size_t entry_size,
      sy_error* error) noexcept {
    return at_boundary(error, [&] {
      Plugin<T>::of(provider).bind(view(key), checked(entry, entry_size), registration);
    });
  }

  static void unbind(void* provider, sy_registration* registration) noexcept {
    logged_at_boundary(
        Plugin<T>::host_of(provider), [&] { Plugin<T>::of(provider).unbind(registration); });
  }

  static sy_status exchange(
      void* provider,
      sy_registration* const* gone,
      std::size_t gone_count,
      const sy_binding* come,
      std::size_t come_count,
      sy_error* error) noexcept {
    return at_boundary(error, [&] {
      const std::span added{come, come_count};
      for (const auto& binding : added)
        static_cast<void>(checked(binding.entry, binding.entry_size));
      Plugin<T>::of(provider).exchange({gone, gone_count}, added);
    });
  }

  static void end_soon(void* provider, sy_registration* registration, std::uint32_t all) noexcept {
    logged_at_boundary(Plugin<T>::host_of(provider), [&] {
      Plugin<T>::of(provider).end_soon(registration, all != 0);
    });
  }
};

} // namespace switchyard
