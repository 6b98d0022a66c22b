#pragma once

#include <plugins/netrpc/call.hpp>
#include <plugins/netrpc/deadlines.hpp>
#include <plugins/netrpc/stream_owner.hpp>
#include <proto/msgpack/extent.hpp>
#include <proto/netrpc/request.hpp>

#include <memory>
#include <optional>

namespace switchyard::netrpc {

/// The dialogue on one stream: requests one after the other, each answered before the next is
/// begun. Holds memory only for a request that has not all come, for what came behind a request
/// in progress, and for an answer that the peer has not taken. [loop]
class Conversation {
public:
  Conversation(Loop& loop, StreamOwner& owner, std::uint32_t stream, Audience audience) noexcept
      : loop_{loop}, owner_{owner}, stream_{stream}, audience_{audience} {}

  /// A call in progress is told that nobody waits for it.
  ~Conversation();
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  // What happens to it. After each the owner looks whether it is over().

  void receive(std::span<const std::byte> bytes);
  void receive_end();
  void write_on();
  void go_on();

  /// Answers what is in progress, or what its peer has opened it for and may be sending already;
  /// begins nothing more.
  void drain();

  /// After drain(): the peer has opened it for nothing, unless a request has begun to come.
  void end_unused();

  /// Since the peer has heard of the end, until what it has sent before is here.
  static constexpr std::chrono::seconds kLate{1};

  /// Nothing is left to be done: the stream is to be closed.
  [[nodiscard]] bool over() const noexcept { return closing_ && !busy() && !outgoing_; }

  /// A request is with its endpoint.
  [[nodiscard]] bool busy() const noexcept { return call_ != nullptr; }

  /// The next request has to wait for this one's endpoint, or for the peer to take its answer.
  [[nodiscard]] bool held_up() const noexcept { return busy() || outgoing_ != nullptr; }

  [[nodiscard]] std::uint32_t stream() const noexcept { return stream_; }

  // For the call in progress.

  [[nodiscard]] const std::string& remote() const noexcept { return owner_.remote(); }

  /// From inside of Call::run().
  void answer(std::uint64_t seq, std::string_view method, const Answer& answer);

  /// In a turn of its own.
  void take_answer(std::uint64_t seq, std::string_view method, const Answer& given);

private:
  struct Incoming {
    explicit Incoming(Conversation& conversation);

    std::vector<std::byte> bytes;
    std::size_t begin = 0;               ///< bytes before it are dealt with
    std::size_t granted = 0;             ///< from `begin` on: the peer may have sent as many again
    std::optional<msgpack::Extent> body; ///< how far the body of the first request is known
    Deadline overdue;
  };

  struct Outgoing {
    explicit Outgoing(Conversation& conversation);

    std::vector<std::byte> bytes;
    std::size_t begin = 0; ///< bytes before it are put out
    Deadline overdue;
  };

  static void overdue(void* self);

  [[nodiscard]] bool may_begin() const;
  std::size_t serve(std::span<const std::byte> bytes);
  [[nodiscard]] std::optional<std::size_t>
  body_size(const RequestHeader& header, std::span<const std::byte> body);
  void dispatch(const RequestHeader& header, std::span<const std::byte> body);
  void store(std::span<const std::byte> bytes);
  void drop_served(std::size_t count);
  void wait_for_more();
  void release_incoming();
  void release_outgoing();
  void close_cut();

  void fail(std::uint64_t seq, std::string_view method, std::string_view text);
  void reject(const RequestHeader& header, std::string_view text);
  void send(std::span<const std::byte> bytes);

  Loop& loop_;
  StreamOwner& owner_;
  Call* call_ = nullptr;
  std::unique_ptr<Incoming> incoming_;
  std::unique_ptr<Outgoing> outgoing_;
  const std::uint32_t stream_;
  const Audience audience_;
  bool closing_ = false; ///< no further request is begun
  bool draining_ = false;
  bool used_ = false; ///< something has come
  bool peer_ended_ = false;
};

} // namespace switchyard::netrpc
