// Callers of raft inside its server. A line "bench SECONDS CALLERS SIZE" lets so many of them
// propose commands of that size, each the next one when the last is applied; the answer is the one
// of tests/interop/raft. "fill COUNT CALLERS SIZE" is the same for so many commands.
#include <switchyard/loops.hpp>
#include <switchyard/plugin.hpp>
#include <switchyard/raft/consensus.hpp>
#include <switchyard/task.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <list>
#include <mutex>
#include <optional>
#include <switchyard_manifest.h>

namespace {

using namespace switchyard;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kCallMax = 10s; // as in tests/interop/raft

struct Wanted {
  double seconds = 0; ///< or, if 0,
  std::uint64_t count = 0;
  std::size_t callers = 0;
  std::size_t size = 0;
};

std::optional<Wanted> parse(const std::string& line) {
  Wanted wanted;
  char end = '\0';
  if (std::sscanf(
          line.c_str(),
          "bench %lf %zu %zu%c",
          &wanted.seconds,
          &wanted.callers,
          &wanted.size,
          &end) == 3 ||
      std::sscanf(
          line.c_str(), "fill %lu %zu %zu%c", &wanted.count, &wanted.callers, &wanted.size, &end) ==
          3) {
    if (wanted.callers > 0 && wanted.size > 0) return wanted;
  }
  return std::nullopt;
}

/// One load. Its callers go on from the thread that tells them how the last call ended.
class Load {
public:
  Load(const RaftConsensus& raft, const Wanted& wanted)
      : raft_{raft},
        wanted_{wanted},
        command_(wanted.size, std::byte{'x'}),
        callers_(wanted.callers) {}

  /// `ended` is called once, on any thread.
  void start(std::function<void()> ended) {
    ended_ = std::move(ended);
    begun_ = Clock::now();
    running_ = callers_.size();
    for (auto& caller : callers_)
      next(caller);
  }

  /// After it has ended.
  std::string result() {
    const std::chrono::duration<double> taken = finished_ - begun_;
    std::vector<std::uint32_t> all;
    for (const auto& caller : callers_)
      all.insert(all.end(), caller.microseconds.begin(), caller.microseconds.end());
    if (all.empty()) return "err no call has succeeded\n";
    std::ranges::sort(all);
    const auto at = [&](double share) {
      return all[static_cast<std::size_t>(share * static_cast<double>(all.size() - 1))];
    };
    std::array<char, 256> text{};
    std::snprintf(
        text.data(),
        text.size(),
        "ok n=%zu conc=%zu size=%zu errors=%zu seconds=%.3f ops=%.0f p50us=%u p99us=%u maxus=%u\n",
        all.size(),
        callers_.size(),
        command_.size(),
        errors_.load(),
        taken.count(),
        static_cast<double>(all.size()) / taken.count(),
        at(0.5),
        at(0.99),
        all.back());
    return text.data();
  }

private:
  struct Caller {
    std::vector<std::uint32_t> microseconds;
  };

  bool over(Clock::time_point now) {
    if (wanted_.count > 0) return begun_calls_++ >= wanted_.count;
    return now - begun_ >= std::chrono::duration<double>{wanted_.seconds};
  }

  void next(Caller& caller) {
    const auto now = Clock::now();
    if (over(now)) return ended();
    const auto status =
        raft_.propose(command_, kCallMax, [this, &caller, now](const RaftOutcome& outcome) {
          if (outcome.status == SY_OK) {
            const auto taken =
                std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - now);
            caller.microseconds.push_back(static_cast<std::uint32_t>(taken.count()));
            next(caller);
          } else {
            ++errors_;
            ended(); // this one gives up: the load goes to a leader
          }
        });
    if (status == SY_OK) return;
    ++errors_;
    ended();
  }

  void ended() {
    if (--running_ != 0) return;
    finished_ = Clock::now();
    ended_();
  }

  const RaftConsensus& raft_;
  const Wanted wanted_;
  const std::vector<std::byte> command_;
  std::vector<Caller> callers_;
  std::function<void()> ended_;
  Clock::time_point begun_;
  Clock::time_point finished_;
  std::atomic<std::uint64_t> begun_calls_ = 0;
  std::atomic<std::size_t> running_ = 0;
  std::atomic<std::size_t> errors_ = 0;
};

class RaftLoad {
public:
  RaftLoad(Host host, std::string_view) : loops_{host}, raft_{host} {}

  void serve(std::uint32_t, Connection connection) {
    ++open_;
    auto& session = add(std::move(connection));
    session.task = session.run();
    session.task.start(&Session::ended, &session);
  }

  void drain(std::chrono::nanoseconds, DrainDone done) {
    drained_ = done;
    abort_all();
    left(); // the one that the drain itself is
  }

  void abort_all() {
    for (std::uint32_t loop = 0; loop < loops_.count(); ++loop) {
      static_cast<void>(loops_.post(loop, [this, loop] {
        const std::lock_guard lock{mutex_};
        for (auto& session : sessions_) {
          if (session.loop == loop) session.connection.cancel();
        }
      }));
    }
  }

private:
  struct Session {
    Session(RaftLoad& owner_, Connection taken)
        : owner{owner_}, loop{owner.loops_.current()}, connection{std::move(taken)} {}

    /// co_await: until a load has ended.
    struct Ended {
      Load& load;
      const Session& session;

      [[nodiscard]] bool await_ready() const noexcept { return false; }

      void await_suspend(std::coroutine_handle<> waiting) const {
        load.start([&session = session, waiting] {
          static_cast<void>(
              session.owner.loops_.post(session.loop, [waiting] { waiting.resume(); }));
        });
      }

      void await_resume() const noexcept {}
    };

    Task<> run() {
      std::array<std::byte, 128> buffer{};
      std::string line;
      for (;;) {
        const auto read = co_await connection.read_some(buffer);
        if (read.error || read.bytes == 0 || line.size() > buffer.size()) break;
        line.append(reinterpret_cast<const char*>(buffer.data()), read.bytes);
        if (!line.ends_with('\n')) continue;
        line.pop_back();
        std::string answer = "err bench SECONDS CALLERS SIZE | fill COUNT CALLERS SIZE\n";
        if (const auto wanted = parse(std::exchange(line, {}))) {
          Load load{owner.raft_, *wanted};
          co_await Ended{load, *this};
          answer = load.result();
        }
        if ((co_await connection.write(std::as_bytes(std::span{answer}))).error) break;
      }
      connection.close(SY_CLOSE_FINISHED);
    }

    static void ended(void* context, std::exception_ptr) {
      auto& self = *static_cast<Session*>(context);
      auto& owner = self.owner;
      {
        const std::lock_guard lock{owner.mutex_};
        owner.sessions_.erase(self.at);
      }
      owner.left();
    }

    RaftLoad& owner;
    std::uint32_t loop;
    Connection connection;
    std::list<Session>::iterator at;
    Task<> task;
  };

  Session& add(Connection connection) {
    const std::lock_guard lock{mutex_};
    auto& session = sessions_.emplace_back(*this, std::move(connection));
    session.at = std::prev(sessions_.end());
    return session;
  }

  void left() {
    if (--open_ == 0) (*drained_)();
  }

  Loops loops_;
  RaftConsensus raft_;
  std::atomic<int> open_ = 1;
  std::optional<DrainDone> drained_;
  std::mutex mutex_;
  std::list<Session> sessions_;
};

} // namespace

SY_CPP_PLUGIN(RaftLoad);
