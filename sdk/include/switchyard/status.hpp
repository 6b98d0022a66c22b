#pragma once

#include <switchyard/status.h>

#include <string>
#include <system_error>

namespace switchyard {

/// sy_status as an error condition of C++; the values are the same.
enum class Status : sy_status {
  Ok = SY_OK,
  Again = SY_AGAIN,
  Busy = SY_BUSY,
  Cancelled = SY_CANCELLED,
  Closed = SY_CLOSED,
  TimedOut = SY_TIMED_OUT,
  Limit = SY_LIMIT,
  Invalid = SY_INVALID,
  NotFound = SY_NOT_FOUND,
  Exists = SY_EXISTS,
  Unsupported = SY_UNSUPPORTED,
  Revoked = SY_REVOKED,
  Refused = SY_REFUSED,
  NoMemory = SY_NO_MEMORY,
  Internal = SY_INTERNAL,
};

namespace detail {

class StatusCategory final : public std::error_category {
public:
  [[nodiscard]] const char* name() const noexcept override { return "switchyard"; }

  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<Status>(value)) {
    case Status::Ok: return "ok";
    case Status::Again: return "nothing now";
    case Status::Busy: return "already in progress";
    case Status::Cancelled: return "cancelled";
    case Status::Closed: return "connection ended";
    case Status::TimedOut: return "timed out";
    case Status::Limit: return "limit reached";
    case Status::Invalid: return "invalid";
    case Status::NotFound: return "not found";
    case Status::Exists: return "name is taken";
    case Status::Unsupported: return "unsupported";
    case Status::Revoked: return "provider has gone";
    case Status::Refused: return "refused";
    case Status::NoMemory: return "out of memory";
    case Status::Internal: return "internal fault";
    }
    return "status " + std::to_string(value);
  }
};

} // namespace detail

inline const std::error_category& status_category() noexcept {
  static const detail::StatusCategory category;
  return category;
}

inline std::error_code make_error_code(Status status) noexcept {
  return {static_cast<int>(status), status_category()};
}

/// False for SY_OK, like every error_code.
[[nodiscard]] inline std::error_code to_error_code(sy_status status) noexcept {
  return make_error_code(static_cast<Status>(status));
}

} // namespace switchyard

template <>
struct std::is_error_code_enum<switchyard::Status> : std::true_type {};
