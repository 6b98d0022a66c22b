#pragma once

#include <switchyard/host.hpp>

#include <plugins/netrpc/call.hpp>
#include <plugins/netrpc/config.hpp>
#include <plugins/netrpc/connection.hpp>
#include <plugins/netrpc/deadlines.hpp>
#include <plugins/netrpc/endpoint_table.hpp>
#include <plugins/netrpc/metrics.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace switchyard::netrpc {

/// What the connections of one event loop share. [loop], except where it says any thread.
class Loop {
public:
  /// Who is told once a drained loop has nothing left: no connection, no call, no timer.
  class Owner {
  public:
    /// [loop]
    virtual void loop_is_quiet() = 0;

  protected:
    ~Owner() = default;
  };

  Loop(
      const sy_host* host,
      const sy_loops& loops,
      std::uint32_t index,
      const Config& config,
      const EndpointTable& endpoints,
      const Metrics& metrics,
      Owner& owner);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Runs `run` on this loop, later. False: the host has given the plugin up, and `run` never runs.
  /// Any thread.
  bool post(sy_callback run, void* context) const;

  /// True on the loop's own thread. Any thread.
  [[nodiscard]] bool is_current() const { return loops_.current(host.get()) == index_; }

  /// Where reads go: good until the read has been dealt with. Connections hold no buffer of their
  /// own, and most requests are answered straight from here.
  [[nodiscard]] std::span<std::byte> scratch() { return {scratch_.get(), kScratchSize}; }

  /// An empty buffer to compose a header in; good until the next call.
  [[nodiscard]] std::vector<std::byte>& header_buffer() {
    header_.clear();
    return header_;
  }

  void add(Connection& connection);
  void remove(Connection& connection) noexcept;

  /// Counts what must end before the loop is quiet, besides its connections.
  void call_kept() noexcept { ++kept_calls_; }

  /// The same for a call of an endpoint.
  void keep(Call& call);

  void call_ended();

  /// Tells every call of an endpoint through `registration` that its answer is wanted soon.
  void end_soon(const sy_registration* registration);

  /// Asks every connection to end when its work is done. From now on none is added but for calls
  /// that wait for it.
  void drain();

  /// Ends every connection now; drains too.
  void abort();

  [[nodiscard]] bool draining() const noexcept { return draining_; }

  const Host host;
  const Config& config;
  const yamux::Limits yamux_limits;
  const EndpointTable& endpoints;
  Deadlines deadlines;
  Count count;

  /// The call whose endpoint function is running now: an answer from inside needs no detour.
  Call* calling = nullptr;

private:
  static constexpr std::size_t kScratchSize = 64 * 1024;

  void check_quiet();
  static void quiet(void* self);

  const sy_loops& loops_;
  const std::uint32_t index_;
  std::unique_ptr<std::byte[]> scratch_;
  std::vector<std::byte> header_;
  boost::intrusive::list<Connection, boost::intrusive::constant_time_size<false>> connections_;
  boost::intrusive::list<Call, boost::intrusive::constant_time_size<false>>
      calls_; ///< of endpoints
  std::size_t kept_calls_ = 0;
  bool draining_ = false;
  bool quiet_posted_ = false;
  Owner& owner_;
};

} // namespace switchyard::netrpc
