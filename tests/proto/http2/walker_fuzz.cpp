// Property: however the bytes of either side are split, the walker passes the same bytes on, finds
// the same last place for a frame of ours, stops for the same reason and holds back no more than it
// says; and what it passes on is what it was given, in order, up to where it stopped.
#include "talk.hpp"
#include "turns.hpp"

#include <cstdlib>

namespace {

using namespace switchyard::http2;

// Small enough for a fuzzer to reach.
constexpr Limits kSmall{
    .streams_max = 4,
    .header_block_bytes_max = 600,
    .continuations_max = 2,
    .unacknowledged_bytes_max = 800,
    .resets = {.burst = 3},
    .pings = {.burst = 3},
    .window_updates = {.burst = 6},
    .overhead = {.burst = 6}};

/// One side's bytes on their way through the walker.
struct Flow {
  test::Bytes held;
  std::size_t passed = 0;
  std::optional<std::size_t> place; ///< where a frame of ours may stand, counted from the start
  std::optional<Error> error;

  friend bool operator==(const Flow&, const Flow&) = default;
};

struct Outcome {
  Flow client;
  Flow server;
  std::size_t open_streams = 0;
  std::uint32_t last_stream = 0;
  bool may_insert = false;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

void feed(Walker& walker, Flow& flow, Side side, std::span<const std::byte> bytes) {
  flow.held.insert(flow.held.end(), bytes.begin(), bytes.end());
  const auto now = std::chrono::seconds{0};
  const auto passage = side == Side::Client ? walker.from_client(flow.held, now)
                                            : walker.from_server(flow.held, now);
  if (passage.pass > flow.held.size()) std::abort();
  if (!passage.error && flow.held.size() - passage.pass > kHeldMax) std::abort();
  if (passage.insert_at) {
    if (side == Side::Client || *passage.insert_at > passage.pass) std::abort();
    flow.place = flow.passed + *passage.insert_at;
  }
  flow.error = passage.error;
  flow.passed += passage.pass;
  flow.held.erase(flow.held.begin(), flow.held.begin() + static_cast<std::ptrdiff_t>(passage.pass));
  if (flow.error) flow.held.clear();
  if (walker.open_streams() > kSmall.streams_max) std::abort();
}

Outcome play(std::span<const std::byte> conversation, std::size_t piece) {
  Walker walker{kSmall};
  Outcome outcome;
  const auto greeting = test::preface();
  feed(walker, outcome.client, Side::Client, greeting);
  while (!conversation.empty() && !outcome.client.error && !outcome.server.error) {
    auto [side, bytes] = test::next_turn(conversation);
    auto& flow = side == Side::Client ? outcome.client : outcome.server;
    while (!bytes.empty() && !flow.error) {
      const auto part = bytes.first(std::min(piece, bytes.size()));
      feed(walker, flow, side, part);
      bytes = bytes.subspan(part.size());
    }
  }
  outcome.open_streams = walker.open_streams();
  outcome.last_stream = walker.last_stream();
  outcome.may_insert = walker.may_insert();
  return outcome;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const auto input = std::as_bytes(std::span{data, size});
  const auto piece = 1 + std::to_integer<std::size_t>(input[0]) % 64;
  const auto conversation = input.subspan(1);
  if (play(conversation, conversation.size()) != play(conversation, piece)) std::abort();
  return 0;
}
