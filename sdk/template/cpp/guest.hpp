#pragma once

#include <switchyard/loops.hpp>
#include <switchyard/plugin.hpp>
#include <switchyard/task.hpp>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

class Guest;

/// The guests of one loop. No other thread looks at them, so there is no lock.
struct Room {
  std::list<Guest> guests;
  bool closing = false; ///< a guest leaves as soon as it has its answer
};

/// The connections of the plugin: each is a guest, in the room of the loop that accepted it.
class Guests {
public:
  explicit Guests(switchyard::Host host);

  /// [loop]
  void enter(switchyard::Connection connection);

  /// Lets every guest have its answer and leave, then calls `done`. [control]
  void drain(switchyard::DrainDone done);

  /// Ends the connections that are left. [control]
  void abort();

  /// Returns when nobody is left; throws when that takes too long. [control]
  void wait();

private:
  friend class Guest;

  using Visit = void (*)(Room&);
  void visit_rooms(Visit visit);
  void count_down(std::size_t& counted);

  switchyard::Loops loops_;
  std::vector<Room> rooms_;

  std::mutex mutex_; ///< of everything below, which all threads look at
  std::condition_variable changed_;
  std::size_t guests_ = 0;
  std::size_t visits_ = 0; ///< posted to a loop, and not yet run
  bool draining_ = false;
  std::optional<switchyard::DrainDone> drained_;
};

/// One connection.
class Guest {
public:
  Guest(Guests& all, Room& room, const switchyard::Loops& loops, switchyard::Connection connection);

  /// `at`: its place in the room, from which it removes itself in the end.
  void begin(std::list<Guest>::iterator at);

  /// Ends what it waits for, and so the conversation.
  void end(sy_close_reason why) noexcept;

  /// True while it waits for the first byte of a line.
  [[nodiscard]] bool idle() const noexcept { return !answering_ && said_.empty(); }

private:
  switchyard::Task<> talk();
  switchyard::Task<> answer();
  static void ended(void* self, std::exception_ptr thrown);

  Guests& all_;
  Room& room_;
  switchyard::Loops loops_;
  switchyard::Connection connection_;
  switchyard::Timer patience_;
  sy_close_reason reason_ = SY_CLOSE_FINISHED;
  bool ending_ = false;
  bool answering_ = false;
  std::string said_;
  std::list<Guest>::iterator at_;
  switchyard::Task<> talk_; // last: its frame uses the others
};
