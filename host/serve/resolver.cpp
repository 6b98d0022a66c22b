#include <host/serve/resolver.hpp>

#include <boost/asio/post.hpp>
#include <boost/assert.hpp>

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <netdb.h>
#include <pthread.h>
#include <system_error>
#include <thread>
#include <utility>

namespace switchyard::host {

namespace net = boost::asio;

namespace {

constexpr std::chrono::seconds kIdleMax{10}; // of a thread

} // namespace

/// What the loop and the threads share.
struct Resolver::Pool {
  struct Question {
    std::uint64_t lookup;
    std::string host;
    std::string port;
  };

  const LookUp look_up;
  const Loop::Executor executor;
  std::mutex mutex;
  std::condition_variable changed;
  Resolver* resolver; ///< null: it has gone, and perhaps its loop
  std::deque<Question> waiting;
  std::size_t threads = 0;
  std::size_t idle = 0;

  /// A thread of the pool.
  void serve() {
    std::unique_lock lock{mutex};
    for (;;) {
      ++idle;
      changed.wait_for(lock, kIdleMax, [&] { return !waiting.empty() || resolver == nullptr; });
      --idle;
      if (waiting.empty() || resolver == nullptr) break;
      const auto question = std::move(waiting.front());
      waiting.pop_front();
      lock.unlock();
      auto found = look_up(question.host, question.port);
      lock.lock();
      if (resolver == nullptr) break;
      net::post(
          executor, [to = resolver, at = question.lookup, found = std::move(found)]() mutable {
            to->finish(at, std::move(found));
          });
    }
    --threads;
  }
};

Resolver::Resolver(Loop& loop, LookUp look_up)
    : pool_{new Pool{std::move(look_up), loop.executor(), {}, {}, this, {}}} {}

Resolver::~Resolver() {
  const std::lock_guard lock{pool_->mutex};
  pool_->resolver = nullptr;
  pool_->changed.notify_all();
}

std::uint64_t Resolver::start(std::string host, std::string port, std::function<void(Found)> done) {
  const std::lock_guard lock{pool_->mutex};
  if (pool_->waiting.size() >= kWaitingMax) return 0;
  if (pool_->waiting.size() >= pool_->idle && pool_->threads < kThreadsMax) {
    try {
      std::thread{[pool = pool_] {
        pthread_setname_np(pthread_self(), "resolver");
        pool->serve();
      }}.detach();
      ++pool_->threads;
    } catch (const std::system_error&) {
      if (pool_->threads == 0) return 0;
    }
  }
  pool_->waiting.push_back({++last_, std::move(host), std::move(port)});
  lookups_.emplace(last_, std::move(done));
  pool_->changed.notify_one();
  return last_;
}

void Resolver::abandon(std::uint64_t lookup) {
  if (lookups_.erase(lookup) == 0) return;
  const std::lock_guard lock{pool_->mutex};
  std::erase_if(pool_->waiting, [&](const auto& waiting) { return waiting.lookup == lookup; });
}

void Resolver::finish(std::uint64_t lookup, Found found) {
  const auto asked = lookups_.extract(lookup);
  if (asked) asked.mapped()(std::move(found));
}

Resolver::Found Resolver::ask_system(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* first = nullptr;
  const int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &first);
  if (error == EAI_SYSTEM) return std::string{std::strerror(errno)};
  if (error != 0) return std::string{::gai_strerror(error)};
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all{first, &::freeaddrinfo};
  std::vector<net::ip::tcp::endpoint> endpoints;
  for (const auto* each = first; each != nullptr; each = each->ai_next) {
    auto& endpoint = endpoints.emplace_back();
    BOOST_ASSERT(each->ai_addrlen <= endpoint.capacity());
    std::memcpy(endpoint.data(), each->ai_addr, each->ai_addrlen);
    endpoint.resize(each->ai_addrlen);
  }
  return endpoints;
}

} // namespace switchyard::host
