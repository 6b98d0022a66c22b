#pragma once

#include <host/loop/loop.hpp>

#include <boost/asio/ip/tcp.hpp>
#include <boost/system/result.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace switchyard::host {

/// Finds the addresses of names for one loop, on whose thread it is used. getaddrinfo(3) blocks for
/// as long as resolv.conf(5) says and cannot be interrupted: it runs on a few threads, which are
/// made when there is work and end when there has been none for a while.
class Resolver {
public:
  /// In the order to try them, or why there are none.
  using Found = boost::system::result<std::vector<boost::asio::ip::tcp::endpoint>, std::string>;

  /// Blocks. Any thread.
  using LookUp = std::function<Found(const std::string& host, const std::string& port)>;

  static constexpr std::size_t kThreadsMax = 4;
  static constexpr std::size_t kWaitingMax = 64; ///< behind those that are looked up

  /// `loop` outlives it.
  explicit Resolver(Loop& loop, LookUp look_up = ask_system);

  /// Does not wait for lookups in progress: what they find is dropped. The loop has ended.
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// Starts a lookup; `done` is called once, on the loop and never from inside. Returns its number;
  /// 0: too many wait already.
  [[nodiscard]] std::uint64_t
  start(std::string host, std::string port, std::function<void(Found)> done);

  /// Forgets a lookup: its `done` is not called any more. One that waits leaves the queue.
  void abandon(std::uint64_t lookup);

  /// getaddrinfo(3). `port` is a number.
  [[nodiscard]] static Found ask_system(const std::string& host, const std::string& port);

private:
  struct Pool;

  void finish(std::uint64_t lookup, Found found);

  std::shared_ptr<Pool> pool_; ///< also of the threads, the last of which may outlive us
  std::unordered_map<std::uint64_t, std::function<void(Found)>> lookups_;
  std::uint64_t last_ = 0;
};

} // namespace switchyard::host
