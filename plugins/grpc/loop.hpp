#pragma once

#include <switchyard/host.hpp>

#include <plugins/grpc/config.hpp>
#include <plugins/grpc/connection.hpp>
#include <plugins/grpc/metrics.hpp>
#include <plugins/grpc/peers.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>

namespace switchyard::grpc {

/// What the connections of one event loop share. [loop], except where it says any thread.
class Loop {
public:
  /// Who is told once a drained loop has no connection left.
  class Owner {
  public:
    /// [loop]
    virtual void loop_is_quiet() = 0;

  protected:
    ~Owner() = default;
  };

  Loop(
      const Host& host,
      const sy_loops& loops,
      std::uint32_t index,
      const Config& config,
      const Metrics& metrics,
      Peers& peers,
      Owner& owner);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Runs `run` on this loop, later. Any thread.
  void post(sy_callback run, void* context) const;

  [[nodiscard]] std::chrono::nanoseconds now() const noexcept;

  /// Where reads go: good until the read has been dealt with. Connections hold no buffer.
  [[nodiscard]] std::span<std::byte> scratch() { return {scratch_.get(), kScratchSize}; }

  void add(Connection& connection);
  void remove(Connection& connection) noexcept;

  /// Asks every client to leave. From now on no connection is added.
  void drain();

  /// Ends every connection now; drains too.
  void abort();

  [[nodiscard]] bool draining() const noexcept { return draining_; }

  const Host host;
  const sy_loops& api;
  const Config& config;
  const Metrics& metrics;
  Peers& peers;

private:
  static constexpr std::size_t kScratchSize = 64 * 1024;

  void check_quiet();
  static void quiet(void* self);

  const std::uint32_t index_;
  std::unique_ptr<std::byte[]> scratch_;
  boost::intrusive::list<Connection, boost::intrusive::constant_time_size<false>> connections_;
  bool draining_ = false;
  bool quiet_posted_ = false;
  Owner& owner_;
};

} // namespace switchyard::grpc
