#include <host/sniff/sniff.hpp>
#include <proto/sniff/tag.hpp>

namespace switchyard::host {

namespace net = boost::asio;

net::awaitable<boost::system::result<Opening, CloseReason>>
sniff(Connection& connection, bool may_be_tls) {
  for (;;) {
    // Waiting first: right after accept the first byte is rarely there, and a failed read costs as
    // much.
    if (const auto status = co_await async_ready(connection, Direction::Read, net::use_awaitable);
        status != SY_OK)
      co_return opening_failure(status);

    std::uint8_t first = 0;
    if (may_be_tls) {
      const auto status = connection.peek(first);
      if (status == SY_AGAIN) continue;
      if (status != SY_OK) co_return opening_failure(status);
      if (sniff::is_client_hello(first)) co_return Opening{true, 0};
    }
    std::size_t transferred = 0;
    const auto status = connection.try_read(&first, 1, transferred);
    if (status == SY_AGAIN) continue;
    if (status != SY_OK) co_return opening_failure(status);
    if (transferred == 0) co_return opening_failure(SY_CLOSED);
    co_return Opening{false, first};
  }
}

} // namespace switchyard::host
