// Property: however the input of a conversation is split, it is answered with the same bytes, ends
// or goes on alike, and has nothing left of what it held at the end.
#include <plugins/netrpc/conversation.hpp>
#include <plugins/netrpc/loop.hpp>
#include <plugins/netrpc/status_ping.hpp>

#include <tests/peer/fake_host.hpp>
#include <tests/peer/fake_journal.hpp>

#include <cstdlib>

namespace {

using namespace switchyard;
using namespace switchyard::netrpc;

/// A connection that takes everything at once.
class Wire final : public StreamOwner {
public:
  std::size_t write(std::uint32_t, std::span<const std::byte> bytes) override {
    output.insert(output.end(), bytes.begin(), bytes.end());
    return bytes.size();
  }

  void consumed(std::uint32_t, std::size_t count) override { taken += count; }

  bool may_begin() override { return true; }

  void hold(std::ptrdiff_t input, std::ptrdiff_t) override { held += input; }

  void settle(Conversation&) override {}

  void time_out(Conversation&) override {}

  const std::string& remote() const noexcept override { return remote_; }

  std::vector<std::byte> output;
  std::size_t taken = 0;
  std::ptrdiff_t held = 0;

private:
  std::string remote_;
};

struct Outcome {
  std::vector<std::byte> output;
  bool over;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

struct Server final : Loop::Owner {
  Server() {
    // Answers with what it got.
    const sy_netrpc_endpoint echo{
        .struct_size = sizeof(sy_netrpc_endpoint),
        .flags = 0,
        .context = nullptr,
        .call = [](void*, sy_netrpc_call* call, sy_bytes body) { call->api->reply(call, body); },
        .cancel = nullptr};
    if (endpoints.add("Status.Ping", status_ping(), nullptr) != SY_OK) std::abort();
    if (endpoints.add("Echo.Echo", echo, nullptr) != SY_OK) std::abort();
  }

  void loop_is_quiet() override {}

  Outcome play(std::span<const std::byte> input, std::size_t piece) {
    Wire wire;
    const auto size = input.size();
    Outcome outcome{};
    {
      Conversation conversation{loop, wire, 1, Audience::Authenticated};
      while (!input.empty() && !conversation.over()) {
        const auto part = input.first(std::min(piece, input.size()));
        conversation.receive(part);
        input = input.subspan(part.size());
      }
      if (wire.taken > size) std::abort();
      outcome.over = conversation.over();
      if (!outcome.over) {
        // All of it is dealt with or part of the request to come, and the peer may send on.
        if (wire.taken != size) std::abort();
        conversation.receive_end();
        if (!conversation.over()) std::abort();
      }
      outcome.output = wire.output;
    }
    if (wire.held != 0) std::abort();
    return outcome;
  }

  Config config{.max_body_bytes = 4096};
  peer::FakeHost host;
  peer::FakeJournal journal;
  EndpointTable endpoints{*journal.table()};
  const sy_loops& loops = *static_cast<const sy_loops*>(host.get()->service(host.get(), SY_LOOPS));
  Metrics metrics{
      host.get(), *static_cast<const sy_metrics*>(host.get()->service(host.get(), SY_METRICS))};
  Loop loop{host.get(), loops, 0, config, endpoints, metrics, *this};
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // For the life of the process: its threads must not outlive it, nor it them.
  static auto* const server = new Server;
  if (size < 1) return 0;
  const auto input = std::as_bytes(std::span{data, size});
  const auto piece = 1 + std::to_integer<std::size_t>(input[0]) % 64;
  const auto wire = input.subspan(1);
  server->host.on_loop(0, [&] {
    if (server->play(wire, std::max<std::size_t>(wire.size(), 1)) != server->play(wire, piece)) {
      std::abort();
    }
  });
  return 0;
}
