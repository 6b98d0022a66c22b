#pragma once

#include <host/connection/connection.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <utility>

namespace switchyard::host {

namespace detail {

/// One wait in flight: the C callback's context, freed when it fires.
template <class Handler>
struct Wait {
  Handler handler;

  static void done(void* context, sy_status status, std::size_t) {
    const std::unique_ptr<Wait> wait{static_cast<Wait*>(context)};
    std::move(wait->handler)(status);
  }
};

} // namespace detail

/// Which direction to wait for.
enum class Direction : std::uint8_t { Read, Write };

/// Waits until `connection` can be read or written. Completes with SY_OK, SY_TIMED_OUT once it has
/// expired, or SY_CANCELLED. No other operation of that side may be in flight.
template <class Token>
auto async_ready(Connection& connection, Direction direction, Token&& token) {
  return boost::asio::async_initiate<Token, void(sy_status)>(
      [](auto handler, Connection* waiting, Direction side) {
        using Wait = detail::Wait<decltype(handler)>;
        auto* wait = new Wait{std::move(handler)};
        if (side == Direction::Read) {
          waiting->wait_readable(&Wait::done, wait);
        } else {
          waiting->wait_writable(&Wait::done, wait);
        }
      },
      token,
      &connection,
      direction);
}

} // namespace switchyard::host
