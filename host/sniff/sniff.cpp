#include <host/sniff/sniff.hpp>
#include <proto/sniff/client_hello.hpp>
#include <proto/sniff/opening.hpp>

#include <array>
#include <cstddef>
#include <span>

namespace switchyard::host {

namespace net = boost::asio;

namespace {

/// What the first bytes say, without taking them.
struct Glance {
  sy_status status = SY_OK;
  sniff::Opening opening = sniff::Opening::Tag;
  bool broken = false; ///< begins like TLS and is no ClientHello
};

/// Not part of the coroutine below, so that a silent connection does not hold the buffer.
Glance glance(Connection& connection) {
  std::array<std::byte, 2'048> ahead; // NOLINT: filled below as far as it is used
  std::size_t size = 0;
  if (const auto status = connection.peek(ahead.data(), ahead.size(), size); status != SY_OK)
    return {status};
  const auto bytes = std::span{ahead}.first(size);
  const auto opening = *sniff::classify(bytes);
  return {
      SY_OK, opening, opening == sniff::Opening::NativeTls && !sniff::parse_client_hello(bytes)};
}

} // namespace

net::awaitable<boost::system::result<Opening, CloseReason>>
sniff(Connection& connection, bool may_be_tls) {
  for (;;) {
    // Waiting first: right after accept the first byte is rarely there, and a failed read costs as
    // much.
    auto status = co_await async_ready(connection, Direction::Read, net::use_awaitable);
    if (status != SY_OK) co_return opening_failure(status);

    if (may_be_tls) {
      const auto [seen, opening, broken] = glance(connection);
      if (seen == SY_AGAIN) continue;
      if (seen != SY_OK) co_return opening_failure(seen);
      if (broken) co_return CloseReason::UnknownProtocol;
      if (opening == sniff::Opening::NativeTls) co_return Opening{true, 0};
    }
    std::uint8_t tag = 0;
    std::size_t transferred = 0;
    status = connection.try_read(&tag, 1, transferred);
    if (status == SY_AGAIN) continue;
    if (status != SY_OK || transferred == 0) co_return opening_failure(SY_CLOSED);
    co_return Opening{false, tag};
  }
}

} // namespace switchyard::host
