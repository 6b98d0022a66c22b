#pragma once

#include <switchyard/bytes.hpp>
#include <switchyard/connection.h>
#include <switchyard/status.hpp>

#include <coroutine>
#include <cstddef>
#include <memory>
#include <span>
#include <system_error>
#include <utility>

namespace switchyard {

/// How a read or a write ended. Zero bytes read without an error: the peer has half-closed.
struct Transfer {
  std::error_code error;
  std::size_t bytes = 0;
};

/// What `co_await` does with an operation that ends in a sy_io_done. It lives in the frame of the
/// coroutine; destroy that frame only together with the Connection (which drops the operation).
template <class Start>
class [[nodiscard]] IoOperation {
public:
  explicit IoOperation(Start start) noexcept : start_{start} {}

  [[nodiscard]] bool await_ready() const noexcept { return false; }

  bool await_suspend(std::coroutine_handle<> waiting) noexcept {
    waiting_ = waiting;
    const auto status = start_(&IoOperation::done, this);
    transfer_.error = to_error_code(status);
    return status == SY_OK;
  }

  [[nodiscard]] Transfer await_resume() const noexcept { return transfer_; }

private:
  static void done(void* context, sy_status status, std::size_t transferred) noexcept {
    auto& self = *static_cast<IoOperation*>(context);
    self.transfer_ = {to_error_code(status), transferred};
    self.waiting_.resume();
  }

  Start start_;
  std::coroutine_handle<> waiting_;
  Transfer transfer_;
};

/// Owns one sy_connection; closes it as SY_CLOSE_INTERNAL when nobody has said another reason.
/// Move-only. Its loop only.
class Connection {
public:
  Connection() noexcept = default;

  explicit Connection(sy_connection* connection) noexcept : connection_{connection} {}

  /// Null when it is closed, detached, released or moved from; then nothing below may be called.
  [[nodiscard]] sy_connection* get() const noexcept { return connection_.get(); }

  explicit operator bool() const noexcept { return connection_ != nullptr; }

  /// Ends it. A coroutine that waits in one of its operations is not resumed: destroy it, or
  /// cancel() first.
  void close(sy_close_reason reason) noexcept {
    if (auto* connection = connection_.release()) connection->api->close(connection, reason);
  }

  [[nodiscard]] sy_connection* release() noexcept { return connection_.release(); }

  /// Reads what is there now; Status::Again when that is nothing. `into` is not empty.
  [[nodiscard]] Transfer try_read(std::span<std::byte> into) const noexcept {
    Transfer transfer;
    transfer.error =
        to_error_code(api().try_read(get(), into.data(), into.size(), &transfer.bytes));
    return transfer;
  }

  /// Writes what fits now; Status::Again when that is nothing.
  [[nodiscard]] Transfer try_write(std::span<const sy_bytes> slices) const noexcept {
    Transfer transfer;
    transfer.error =
        to_error_code(api().try_write(get(), slices.data(), slices.size(), &transfer.bytes));
    return transfer;
  }

  [[nodiscard]] Transfer try_write(std::span<const std::byte> bytes) const noexcept {
    const auto slice = to_c(bytes);
    return try_write(std::span{&slice, 1});
  }

  /// co_await: until try_read has something to say. Holds no buffer meanwhile.
  auto wait_readable() const noexcept {
    return IoOperation{[connection = get()](sy_io_done done, void* context) noexcept {
      return connection->api->wait_readable(connection, done, context);
    }};
  }

  /// co_await: reads up to `into.size()` (> 0) bytes. `into` stays valid meanwhile.
  auto read_some(std::span<std::byte> into) const noexcept {
    return IoOperation{[connection = get(), into](sy_io_done done, void* context) noexcept {
      return connection->api->read_some(connection, into.data(), into.size(), done, context);
    }};
  }

  /// co_await: writes all of `bytes`, which stay valid meanwhile. A peer that does not read stalls
  /// this for ever: set a timer.
  auto write(std::span<const std::byte> bytes) const noexcept {
    return IoOperation{[connection = get(), bytes](sy_io_done done, void* context) noexcept {
      const auto slice = to_c(bytes);
      return connection->api->write(connection, &slice, 1, done, context);
    }};
  }

  /// The same for at most SY_SLICES_MAX slices.
  auto write(std::span<const sy_bytes> slices) const noexcept {
    return IoOperation{[connection = get(), slices](sy_io_done done, void* context) noexcept {
      return connection->api->write(connection, slices.data(), slices.size(), done, context);
    }};
  }

  [[nodiscard]] std::error_code shutdown_write() const noexcept {
    return to_error_code(api().shutdown_write(get()));
  }

  void cancel() const noexcept { api().cancel(get()); }

  /// The strings of `info` are valid until the connection ends.
  [[nodiscard]] std::error_code describe(sy_connection_info& info) const noexcept {
    info = {};
    info.struct_size = sizeof info;
    return to_error_code(api().describe(get(), &info));
  }

  /// Gives up the connection for its descriptor; Status::Unsupported, and nothing changes, under
  /// TLS. No operation may be in flight.
  [[nodiscard]] std::error_code detach(sy_descriptor& descriptor) noexcept {
    descriptor = {};
    descriptor.struct_size = sizeof descriptor;
    const auto status = api().detach(get(), &descriptor);
    if (status == SY_OK) static_cast<void>(connection_.release());
    return to_error_code(status);
  }

private:
  struct Close {
    void operator()(sy_connection* connection) const noexcept {
      connection->api->close(connection, SY_CLOSE_INTERNAL);
    }
  };

  [[nodiscard]] const sy_connection_api& api() const noexcept { return *connection_->api; }

  std::unique_ptr<sy_connection, Close> connection_;
};

} // namespace switchyard
