#pragma once

#include <switchyard/failure.hpp>

#include <exception>
#include <new>
#include <type_traits>
#include <utility>

namespace switchyard {

/// Runs `body`, which returns nothing or a sy_status, and turns an escaping exception into a
/// status and, when there is an `error`, its sentence: no exception may cross the C ABI. Every
/// function pointer that the wrapper hands out runs in this; nothing else catches `...`.
template <class Body>
[[nodiscard]] sy_status at_boundary(sy_error* error, Body&& body) noexcept {
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<Body>>) {
      std::forward<Body>(body)();
      return SY_OK;
    } else {
      return std::forward<Body>(body)();
    }
  } catch (const Failure& failure) {
    return fill(error, failure.status(), failure.what());
  } catch (const std::bad_alloc&) {
    return fill(error, SY_NO_MEMORY, "out of memory");
  } catch (const std::exception& exception) {
    return fill(error, SY_INTERNAL, exception.what());
  } catch (...) {
    return fill(error, SY_INTERNAL, "an exception that is no std::exception");
  }
}

template <class Body>
[[nodiscard]] sy_status at_boundary(Body&& body) noexcept {
  return at_boundary(nullptr, std::forward<Body>(body));
}

} // namespace switchyard
