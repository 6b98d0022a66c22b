#pragma once

#include <switchyard/connection.hpp>

#include <plugins/raft/driver/config.hpp>
#include <plugins/raft/driver/node.hpp>

#include <deque>
#include <set>

namespace switchyard::raft {

/// A connection on which another server asks and this one answers, in the order of the requests.
/// What has arrived together is given to the node together, so that one sync serves all of it.
/// [loop]; it may be freed on any thread once it has ended.
class Inbound final : public Requester, public std::enable_shared_from_this<Inbound> {
public:
  using Set = std::set<std::shared_ptr<Inbound>>;

  /// What the connections of one loop share.
  struct Shared {
    Set open;
    std::vector<std::byte> scratch = std::vector<std::byte>(256 * 1024);
  };

  /// `shared` has it until it ends.
  Inbound(
      Node& node, const Loops& loops, const Config& config, Connection connection, Shared& shared);

  void start();
  void end(sy_close_reason reason);

  [[nodiscard]] std::uint32_t loop() const noexcept override { return loop_; }

  void answered(std::uint64_t slot, Bytes answer) override;
  void go_ahead(std::uint64_t slot, std::uint64_t receipt) override;

private:
  /// The bytes of a snapshot, which follow its request.
  struct Body {
    std::uint64_t slot;
    std::uint64_t left;
    bool decided = false;
    std::uint64_t receipt = 0; ///< 0: dropped
    bool writing = false;
    Bytes answer{}; ///< that has come before the bytes
  };

  static void readable(void* self, sy_status status, std::size_t);
  static void written(void* self, sy_status status, std::size_t);
  static void overdue(void* self);

  [[nodiscard]] bool takes_requests() const noexcept;
  [[nodiscard]] bool may_read() const noexcept;
  void proceed();
  void read();
  void take_requests();
  [[nodiscard]] bool take_body();
  void write();
  void watch();

  Node& node_;
  const Loops loops_;
  const Config& config_;
  const std::uint32_t loop_;
  Connection connection_;
  Shared& shared_;
  std::shared_ptr<Inbound> self_; ///< while the host knows its address

  Bytes input_;
  std::size_t taken_ = 0; ///< of input_
  std::optional<raftwire::RequestExtent> extent_;
  bool proceeding_ = false;
  bool waiting_ = false;
  bool peer_ended_ = false;
  std::optional<Body> body_;

  /// A request and what has come of it.
  struct Asked {
    std::size_t size; ///< of the request
    bool snapshot;    ///< what follows on this connection is about the state that it brings
    std::optional<Bytes> answer{};
  };

  std::uint64_t first_slot_ = 0; ///< of asked_
  std::deque<Asked> asked_;
  std::size_t asked_bytes_ = 0; ///< of all of them
  Bytes output_;
  bool writing_ = false;
  std::optional<Timer> timer_;
};

} // namespace switchyard::raft
