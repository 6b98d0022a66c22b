#include <host/sniff/sniff.hpp>
#include <proto/sniff/client_hello.hpp>
#include <proto/sniff/opening.hpp>

#include <array>
#include <cstddef>
#include <span>

namespace switchyard::host {

namespace net = boost::asio;

namespace {

/// What is there of an opening. Not part of the coroutine below, so that a silent connection does
/// not hold the buffer. SY_AGAIN: nothing yet.
sy_status look(Connection& connection, Opening& opening) {
  std::array<std::byte, 2'048> ahead; // NOLINT: filled below as far as it is used
  std::size_t size = 0;
  if (const auto status = connection.peek(ahead.data(), ahead.size(), size); status != SY_OK)
    return status;
  const auto bytes = std::span{ahead}.first(size);
  opening.native_tls = sniff::classify(bytes) == sniff::Opening::NativeTls;
  if (opening.native_tls && !sniff::parse_client_hello(bytes)) return SY_INVALID;
  return SY_OK;
}

sy_status take(Connection& connection, Opening& opening) {
  std::size_t transferred = 0;
  const auto status = connection.try_read(&opening.tag, 1, transferred);
  return status == SY_OK && transferred == 0 ? SY_CLOSED : status;
}

} // namespace

net::awaitable<boost::system::result<Opening, CloseReason>>
sniff(Connection& connection, bool may_be_tls) {
  Opening opening;
  for (;;) {
    // Before waiting: a busy server accepts connections that have spoken already.
    auto status = may_be_tls ? look(connection, opening) : SY_OK;
    if (status == SY_OK && !opening.native_tls) status = take(connection, opening);
    if (status == SY_OK) co_return opening;
    if (status == SY_AGAIN)
      status = co_await async_ready(connection, Direction::Read, net::use_awaitable);
    if (status != SY_OK) co_return opening_failure(status);
  }
}

} // namespace switchyard::host
