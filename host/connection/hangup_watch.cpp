#include <host/connection/hangup_watch.hpp>
#include <host/connection/owner.hpp>

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace switchyard::host {

namespace {
int new_epoll_set() {
  const int set = ::epoll_create1(EPOLL_CLOEXEC);
  if (set < 0) throw std::system_error{errno, std::generic_category(), "epoll_create1"};
  return set;
}
} // namespace

HangupWatch::HangupWatch(Loop& loop, ConnectionOwner& owner)
    : owner_{owner}, set_{new_epoll_set()}, reactor_{loop.executor()}, rest_{loop.executor()} {}

HangupWatch::~HangupWatch() {
  if (reactor_.is_open()) reactor_.release();
  ::close(set_);
}

bool HangupWatch::add(std::uint64_t id, int socket, ClientLimit::Slot& slot, PluginPlace& place) {
  const int duplicate = ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
  if (duplicate < 0) return false;
  epoll_event event{};
  event.events = EPOLLET; // EPOLLHUP and EPOLLERR come unasked
  event.data.u64 = id;
  if (::epoll_ctl(set_, EPOLL_CTL_ADD, duplicate, &event) != 0) {
    ::close(duplicate);
    return false;
  }
  watched_.emplace(id, Held{duplicate, std::move(slot), std::move(place)});
  if (!watching_) wait();
  return true;
}

bool HangupWatch::forget(std::uint64_t id) {
  const auto held = watched_.extract(id);
  if (held.empty()) return false;
  ::close(held.mapped().duplicate);
  return true;
}

void HangupWatch::shutdown_all() {
  for (const auto& [id, held] : watched_)
    ::shutdown(held.duplicate, SHUT_RDWR);
}

void HangupWatch::shutdown_those_of(const InstanceServices& plugin) {
  for (const auto& [id, held] : watched_) {
    if (held.place.get() == &plugin) ::shutdown(held.duplicate, SHUT_RDWR);
  }
}

void HangupWatch::wait() {
  watching_ = true;
  boost::system::error_code error;
  reactor_.assign(set_, error);
  if (error) return rest(); // the kernel has no room for it now
  reactor_.async_wait(Descriptor::wait_read, [this](boost::system::error_code gone) {
    if (gone) return; // the loop is going away, and this with it
    reactor_.release();
    collect();
    rest();
  });
}

void HangupWatch::rest() {
  rest_.expires_after(kRest);
  rest_.async_wait([this](boost::system::error_code gone) {
    if (gone) return;
    if (collect()) return rest();
    watching_ = false;
    if (!watched_.empty()) wait();
  });
}

bool HangupWatch::collect() {
  bool any = false;
  std::array<epoll_event, 64> events{};
  for (;;) {
    const int count = ::epoll_wait(set_, events.data(), events.size(), 0);
    for (int i = 0; i < count; ++i) {
      const auto& event = events[static_cast<std::size_t>(i)];
      if ((event.events & (EPOLLHUP | EPOLLERR)) == 0) continue;
      // The set knows it for as long as the plugin has it open, and may tell of its end once more.
      if (!forget(event.data.u64)) continue;
      any = true;
      owner_.ended(event.data.u64, CloseReason::HungUp);
    }
    if (count < static_cast<int>(events.size())) return any;
  }
}

} // namespace switchyard::host
