#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace switchyard {

template <class T = void>
class Task;

namespace detail {

/// What every promise of a Task has: whom to go on with at its end, and what it threw.
class TaskPromise {
public:
  struct Final {
    [[nodiscard]] bool await_ready() const noexcept { return false; }

    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
      auto& promise = ended.promise();
      if (promise.waiting_) return promise.waiting_;
      // The owner may destroy the frame from inside; nothing below touches it.
      if (promise.on_end_ != nullptr) promise.on_end_(promise.context_, promise.thrown_);
      return std::noop_coroutine();
    }

    void await_resume() const noexcept {}
  };

  [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }

  [[nodiscard]] Final final_suspend() const noexcept { return {}; }

  void unhandled_exception() noexcept { thrown_ = std::current_exception(); }

  void wait(std::coroutine_handle<> waiting) noexcept { waiting_ = waiting; }

  void at_end(void (*on_end)(void*, std::exception_ptr), void* context) noexcept {
    on_end_ = on_end;
    context_ = context;
  }

  void rethrow() const {
    if (thrown_) std::rethrow_exception(thrown_);
  }

private:
  std::coroutine_handle<> waiting_;
  void (*on_end_)(void*, std::exception_ptr) = nullptr;
  void* context_ = nullptr;
  std::exception_ptr thrown_;
};

template <class T>
class ValuePromise : public TaskPromise {
public:
  Task<T> get_return_object() noexcept;

  template <class Value>
  void return_value(Value&& value) {
    value_.emplace(std::forward<Value>(value));
  }

  [[nodiscard]] T take() {
    rethrow();
    return std::move(*value_);
  }

private:
  std::optional<T> value_;
};

template <>
class ValuePromise<void> : public TaskPromise {
public:
  Task<void> get_return_object() noexcept;

  void return_void() const noexcept {}

  void take() const { rethrow(); }
};

} // namespace detail

/// A coroutine that begins when it is awaited or started, and is owned: destroying the Task while
/// it waits ends it there, with everything in its frame. One thread, that of its loop.
template <class T>
class [[nodiscard]] Task {
public:
  using promise_type = detail::ValuePromise<T>;

  Task() noexcept = default;

  explicit Task(std::coroutine_handle<promise_type> frame) noexcept : frame_{frame} {}

  Task(Task&& other) noexcept : frame_{std::exchange(other.frame_, {})} {}

  Task& operator=(Task&& other) noexcept {
    Task taken{std::move(other)};
    std::swap(frame_, taken.frame_);
    return *this;
  }

  ~Task() {
    if (frame_) frame_.destroy();
  }

  /// Runs it from outside of a coroutine, until its first wait. At its end `on_end` gets what it
  /// threw, if anything, and may destroy the Task.
  void start(void (*on_end)(void* context, std::exception_ptr thrown), void* context) {
    frame_.promise().at_end(on_end, context);
    frame_.resume();
  }

  auto operator co_await() && noexcept {
    struct Wait {
      std::coroutine_handle<promise_type> frame;

      [[nodiscard]] bool await_ready() const noexcept { return false; }

      std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiting) const noexcept {
        frame.promise().wait(waiting);
        return frame;
      }

      T await_resume() const { return frame.promise().take(); }
    };

    return Wait{frame_};
  }

private:
  std::coroutine_handle<promise_type> frame_;
};

template <class T>
Task<T> detail::ValuePromise<T>::get_return_object() noexcept {
  return Task<T>{std::coroutine_handle<ValuePromise>::from_promise(*this)};
}

inline Task<void> detail::ValuePromise<void>::get_return_object() noexcept {
  return Task<void>{std::coroutine_handle<ValuePromise>::from_promise(*this)};
}

} // namespace switchyard
