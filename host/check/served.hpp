#pragma once

#include <host/check/process_state.hpp>
#include <host/config/isolation.hpp>
#include <host/plugin/file_descriptor.hpp>

#include <boost/json/object.hpp>
#include <boost/system/result.hpp>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace switchyard::host {

/// argv[1] of the process that serves a plugin under trial.
inline constexpr std::string_view kServedCommand = "serve-on-trial";

/// What such a process serves. Every protocol has a listener of its own.
struct ServedPlugin {
  std::string file;
  std::string config; ///< JSON object
  std::vector<std::string> with{};
  std::vector<std::string> protocols{};
  std::uint64_t drain_ms = 2'000; ///< from the drain until connections are cut
  Isolation isolation = Isolation::None;
};

/// Its name in the configuration that is made.
inline constexpr std::string_view kUnderTrial = "trial";

/// A whole server in a process of its own, with a directory of its own, that serves a plugin. Ended
/// and cleaned up by the destructor.
class Served {
public:
  /// Starts it and waits until it is ready; a sentence when it does not come up: what the host
  /// says of the plugin, or how the process ended.
  [[nodiscard]] static boost::system::result<Served, std::string> start(const ServedPlugin& what);

  ~Served();
  Served(Served&&) noexcept;
  Served& operator=(Served&&) = delete;

  /// Of its protocols, in their order.
  [[nodiscard]] const std::vector<std::uint16_t>& ports() const noexcept { return ports_; }

  /// Of the server, and of the plugin's process if it has one.
  [[nodiscard]] ProcessState state() const;

  /// The same, once it holds no more than `before` or 5 s have passed: some of what the host does
  /// ends a moment after it has answered.
  [[nodiscard]] ProcessState settled(const ProcessState& before) const;

  /// The plugin's part of the status; null when the server does not answer.
  [[nodiscard]] boost::json::object plugin() const;

  /// Replaces the plugin by itself. A sentence when that is refused.
  [[nodiscard]] boost::system::result<void, std::string> swap() const;

  /// Waits, at most `limit`, until it has no connection open any more; how many are left.
  [[nodiscard]] std::uint64_t connections_left(std::chrono::milliseconds limit) const;

  /// Sends SIGTERM or SIGINT.
  void signal(int number) const;

  /// Waits for its end: empty when it was orderly, else a clause: "it crashed with SIGSEGV".
  [[nodiscard]] std::string end(std::chrono::milliseconds limit);

  /// How it has ended by itself, as end() says it; empty while it runs.
  [[nodiscard]] std::string ended_early();

  /// What the plugin left behind when it was unloaded, in the host's words: "1 thread left"; one
  /// for each generation that had to stay.
  [[nodiscard]] std::vector<std::string> retained() const;

  /// How processes of the plugin have ended that were not to, in the host's words.
  [[nodiscard]] std::vector<std::string> process_ends() const;

  /// The last errors in its log, a clause each.
  [[nodiscard]] std::vector<std::string> errors() const;

private:
  Served() = default;

  [[nodiscard]] std::string log() const;
  [[nodiscard]] std::string verdict(int wait_status) const;
  [[nodiscard]] std::string wait_until_ready();
  [[nodiscard]] bool ended_within(std::chrono::milliseconds limit) const;
  int reap();

  std::string directory_;
  pid_t process_ = 0; ///< 0: reaped
  FileDescriptor ended_;
  std::vector<std::uint16_t> ports_;
  bool isolated_ = false;
};

/// What a process with argv[1] == kServedCommand does; its exit code.
[[nodiscard]] int serve_on_trial();

} // namespace switchyard::host
