// Property: however the input is split, a session reports the same events, sends the same bytes and
// ends with the same error; and it never holds more than its bounds.
#include "echo.hpp"

#include <cstdlib>

namespace {

using namespace switchyard::yamux;

constexpr Limits kSmall{.streams_max = 8, .accept_backlog = 4, .output_bytes_max = 600};

struct Outcome {
  std::string log;
  test::Bytes output;
  boost::system::error_code error;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome play(std::span<const std::byte> input, std::size_t piece) {
  Session session{Role::Server, kSmall, std::chrono::seconds{0}};
  test::Echo echo{session};
  Outcome outcome;
  while (!input.empty() && !outcome.error) {
    const auto part = input.first(std::min(piece, input.size()));
    outcome.error = session.receive(part, echo).error();
    input = input.subspan(part.size());
    if (session.stream_count() > kSmall.streams_max) std::abort();
    if (!outcome.error && session.output().size() > 2 * kSmall.output_bytes_max + kHeaderSize) {
      std::abort();
    }
  }
  outcome.log = echo.log();
  outcome.output = session.take_output();
  return outcome;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const auto input = std::as_bytes(std::span{data, size});
  const auto piece = 1 + std::to_integer<std::size_t>(input[0]);
  const auto wire = input.subspan(1);
  if (play(wire, wire.size()) != play(wire, piece)) std::abort();
  return 0;
}
