#pragma once

#include <boost/json/object.hpp>

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>

namespace switchyard::host {

/// What a request is answered: one object, or several that come as they are known, the last of
/// which is the answer. A handle on it; every copy is of the same reply. The thread of the control
/// socket.
class ControlReply {
public:
  /// One that is to come.
  ControlReply() : state_{std::make_shared<State>()} {}

  /// One that is known.
  ControlReply(boost::json::object answer) : ControlReply{} { end(std::move(answer)); }

  /// Says how far it is: `line` has a key "phase", which no answer has. More than 64 that nobody
  /// has fetched are dropped.
  void say(boost::json::object line) const;

  /// Gives the answer. Once.
  void end(boost::json::object answer) const;

  [[nodiscard]] bool ended() const noexcept { return state_->ended; }

  /// Takes the lines that have come.
  [[nodiscard]] std::deque<boost::json::object> fetch() const;

private:
  friend class ControlServer;

  struct State {
    std::deque<boost::json::object> lines; ///< not yet fetched
    bool ended = false;                    ///< the last of `lines` is the answer
    bool abandoned = false;                ///< nobody will fetch any more
    std::function<void()> news;            ///< called after each line
  };

  std::shared_ptr<State> state_;
};

} // namespace switchyard::host
