#pragma once

#include <switchyard/dial.h>

#include <tests/peer/fake_host.hpp>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>

namespace switchyard::peer {

/// The host's dialling, done by hand: each dial waits until the test says what became of it, a
/// cancelled one too.
class FakeDial {
public:
  struct Dial {
    sy_dial_tls tls;
    std::int32_t tag;
    std::string address;
    std::string alpn;
    std::string server_name;
    std::uint32_t loop; ///< that it was asked for on, where its end is told
    sy_dial_done done;
    void* context;
  };

  explicit FakeDial(FakeHost& host);

  /// The oldest dial that was not taken yet; waits for one.
  Dial take();

  /// Dials that nobody has taken.
  [[nodiscard]] std::size_t waiting();

  /// It has come to a connection over `socket`.
  void connected(const Dial& dial, int socket);

  void failed(const Dial& dial, sy_status status);

private:
  static sy_status
  dial(const sy_host* host, const sy_dial_options* options, sy_dial_done done, void* context);

  FakeHost& host_;
  sy_dial table_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Dial> dials_;
};

} // namespace switchyard::peer
