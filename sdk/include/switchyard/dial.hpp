#pragma once

#include <switchyard/connection.hpp>
#include <switchyard/host.hpp>

#include <coroutine>
#include <string>
#include <system_error>
#include <utility>

namespace switchyard {

/// How a dial ended: a connection, or why there is none.
struct Dialled {
  std::error_code error;
  std::string text; ///< the host's sentence when there is an error
  Connection connection;
};

/// `co_await Dial{host, options}` opens a connection on the calling loop. What `options` points to
/// is valid until the coroutine waits. The coroutine may be destroyed meanwhile, on its loop, which
/// cancels the dial.
class [[nodiscard]] Dial {
public:
  /// Sets the struct_size of `options`.
  Dial(const Host& host, const sy_dial_options& options) noexcept : host_{host}, options_{options} {
    options_.struct_size = sizeof options_;
  }

  ~Dial() {
    if (pending_ == nullptr) return;
    pending_->dial = nullptr;
    host_.find<sy_dial>()->cancel(host_.get(), pending_);
  }

  Dial(const Dial&) = delete;
  Dial& operator=(const Dial&) = delete;

  [[nodiscard]] bool await_ready() const noexcept { return false; }

  bool await_suspend(std::coroutine_handle<> waiting) {
    const auto* table = host_.find<sy_dial>();
    if (table == nullptr) {
      dialled_.error = Status::Unsupported;
      dialled_.text = "this host does not dial";
      return false;
    }
    waiting_ = waiting;
    pending_ = new Pending{this};
    const auto status = table->dial(host_.get(), &options_, &Dial::done, pending_);
    if (status == SY_OK) return true;
    delete std::exchange(pending_, nullptr);
    dialled_.error = to_error_code(status);
    dialled_.text = dialled_.error.message();
    return false;
  }

  [[nodiscard]] Dialled await_resume() noexcept { return std::move(dialled_); }

private:
  /// Outlives the coroutine until the host has called.
  struct Pending {
    Dial* dial;
  };

  static void
  done(void* context, sy_status status, sy_connection* raw, const sy_error* error) noexcept {
    const std::unique_ptr<Pending> pending{static_cast<Pending*>(context)};
    Connection connection{raw};
    auto* self = pending->dial;
    if (self == nullptr) {
      if (connection) connection.close(SY_CLOSE_FINISHED);
      return;
    }
    self->pending_ = nullptr;
    self->dialled_.error = to_error_code(status);
    if (status != SY_OK && error != nullptr)
      self->dialled_.text = static_cast<const char*>(error->text);
    self->dialled_.connection = std::move(connection);
    self->waiting_.resume();
  }

  Host host_;
  sy_dial_options options_;
  std::coroutine_handle<> waiting_;
  Pending* pending_ = nullptr;
  Dialled dialled_;
};

} // namespace switchyard
