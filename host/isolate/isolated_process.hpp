#pragma once

#include <host/isolate/channel.hpp>
#include <host/isolate/message.hpp>
#include <host/plugin/child_process.hpp>

#include <boost/system/result.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace switchyard::host {

/// What a process tells unasked. Called from inside the functions of IsolatedProcess.
struct IsolatedEvents {
  std::function<void(sy_log_level level, const std::string& line)> line;
  std::function<void(const Counted& counted)> counted;
  std::function<void()> drained;
};

/// The processes of one isolated plugin, one after the other, as the thread that starts them has
/// them: one is killed when that thread ends (PR_SET_PDEATHSIG).
class IsolatedProcess {
public:
  using Clock = std::chrono::steady_clock;

  IsolatedProcess(std::string program, IsolatedEvents events)
      : program_{std::move(program)}, events_{std::move(events)} {}

  /// Starts one, with `request` on its standard input, and gives it a channel for each of its
  /// loops. A clause when there is none; one that has begun is then to be ended.
  [[nodiscard]] std::optional<std::string>
  start(const std::string& request, std::size_t loops, Clock::time_point until);

  /// Makes a call over there and waits for its answer. When there is none until `until`, a clause
  /// says why, or is empty for one that has ended by itself; it is to be ended.
  [[nodiscard]] boost::system::result<Answer, std::string>
  exchange(const Call& call, Clock::time_point until);

  /// Hears it until `wake` is readable or `until` has come. False: it is to be ended.
  [[nodiscard]] bool wait(int wake, std::optional<Clock::time_point> until);

  /// Waits for it to end by itself, as it has said that it will, until `until` at most.
  void see_out(Clock::time_point until);

  /// Ends it, or what is left of it. How it has ended: by itself, or `why` it was made to.
  std::string end(std::string why = {});

  /// Says that it has broken the rules on another channel: it is to be ended. Any thread; `wake`
  /// follows.
  void accuse() noexcept { faulty_ = true; }

  /// Our ends of the channels of its loops. Once.
  [[nodiscard]] std::vector<Channel> take_lanes() { return std::exchange(lanes_, {}); }

  [[nodiscard]] pid_t id() const noexcept { return child_.id(); } ///< 0: there is none

  [[nodiscard]] bool running() const noexcept { return id() != 0; }

  /// How long it has been there.
  [[nodiscard]] std::chrono::milliseconds age() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - started_);
  }

private:
  [[nodiscard]] bool send(const Message& message, int descriptor, Clock::time_point until);
  [[nodiscard]] std::optional<Answer> hear();
  void read_output();
  [[nodiscard]] bool has_ended() const;

  const std::string program_;
  const IsolatedEvents events_;
  ChildProcess child_;
  Channel control_;
  bool closed_ = false;             ///< the other end of control_
  std::atomic<bool> faulty_{false}; ///< it has sent what it must not
  FileDescriptor output_;           ///< what the plugin writes by itself
  std::string output_line_;
  std::vector<Channel> lanes_;
  Clock::time_point started_;
};

} // namespace switchyard::host
