#include <host/plugin/instance.hpp>
#include <host/swap/departure.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <utility>

namespace switchyard::host {

namespace net = boost::asio;

namespace {

/// How often it looks whether calls of others have ended.
constexpr std::chrono::milliseconds kLookInterval{50};

/// Belongs to what waits in `context`, and goes with that.
class Departure : public std::enable_shared_from_this<Departure> {
public:
  Departure(
      net::io_context& context,
      Instance& generation,
      const Limits& limits,
      std::weak_ptr<const void> wanted,
      std::function<void()> gone)
      : generation_{generation},
        limits_{limits},
        wanted_{std::move(wanted)},
        gone_{std::move(gone)},
        deadline_{context},
        look_{context} {}

  void begin(const std::shared_ptr<net::io_context>& context) {
    const auto deadline = std::chrono::steady_clock::now() + limits_.drain_timeout;
    deadline_.expires_at(deadline);
    deadline_.async_wait([self = shared_from_this()](boost::system::error_code cancelled) {
      if (!cancelled) self->cut();
    });
    half_ = deadline - limits_.drain_timeout / 2;
    generation_.end_calls_soon(false);
    // The plugin may say it late, when nobody waits any more, and on any thread.
    generation_.drain(
        static_cast<std::uint64_t>(deadline.time_since_epoch().count()),
        [self = weak_from_this(), context = std::weak_ptr{context}] {
          const auto here = context.lock();
          if (here == nullptr) return;
          net::post(*here, [self] {
            if (const auto waiting = self.lock()) waiting->drained();
          });
        });
  }

private:
  /// What others still call through its registrations ends first; when, only they know.
  void drained() {
    if (wanted_.expired() || over_) return;
    if (generation_.calls() == 0) return end();
    if (!told_all_ && std::chrono::steady_clock::now() >= half_) {
      told_all_ = true;
      generation_.end_calls_soon(true);
    }
    look_.expires_after(kLookInterval);
    look_.async_wait([self = shared_from_this()](boost::system::error_code cancelled) {
      if (!cancelled) self->drained();
    });
  }

  void cut() {
    if (wanted_.expired() || over_) return;
    generation_.cut_short(limits_.drain_timeout);
    deadline_.expires_after(limits_.control_timeout);
    deadline_.async_wait([self = shared_from_this()](boost::system::error_code cancelled) {
      if (!cancelled) self->end();
    });
  }

  void end() {
    if (wanted_.expired() || std::exchange(over_, true)) return;
    deadline_.cancel();
    look_.cancel();
    generation_.stop();
    gone_();
  }

  Instance& generation_;
  const Limits& limits_;
  const std::weak_ptr<const void> wanted_;
  const std::function<void()> gone_;
  net::steady_timer deadline_;
  net::steady_timer look_;
  std::chrono::steady_clock::time_point half_;
  bool told_all_ = false;
  bool over_ = false;
};

} // namespace

void depart(
    const std::shared_ptr<net::io_context>& context,
    Instance& generation,
    const Limits& limits,
    std::weak_ptr<const void> wanted,
    std::function<void()> gone) {
  std::make_shared<Departure>(*context, generation, limits, std::move(wanted), std::move(gone))
      ->begin(context);
}

} // namespace switchyard::host
