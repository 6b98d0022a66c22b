// Measures routers that tell protocols apart by their first bytes, on loopback addresses.
//
//   routebench backend IP:PORT TAG
//     The server behind a router: says "TAG\n" when the first bytes arrive, then echoes.
//   routebench conn IP:PORT PROBE TAG IN_FLIGHT SECONDS
//     New connections: connect, write PROBE, wait for TAG, close.
//   routebench rtt | bulk IP:PORT PROBE TAG IN_FLIGHT SECONDS
//     Echoes of 64 bytes, or of 64 KiB, over kept connections.
//
// PROBE is byte:04 (followed by "hello"), hex:1603.., text:GET, or alpn:NAME (a real ClientHello;
// the handshake goes no further). Every TAG is checked: a wrong route is an error. One JSON line.

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr int kOn = 1;
constexpr long kGiveUp = 1000; ///< errors

[[noreturn]] void fatal(const char* what) {
  std::fprintf(stderr, "routebench: %s\n", what);
  std::exit(2);
}

sockaddr_in endpoint(const std::string& text) {
  const auto colon = text.rfind(':');
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(text.c_str() + colon + 1)));
  if (inet_pton(AF_INET, text.substr(0, colon).c_str(), &address.sin_addr) != 1 ||
      ntohl(address.sin_addr.s_addr) >> 24 != 127) {
    fatal("loopback addresses only");
  }
  return address;
}

std::string client_hello(std::string_view alpn) {
  SSL* const tls = SSL_new(SSL_CTX_new(TLS_client_method()));
  const std::string names = static_cast<char>(alpn.size()) + std::string{alpn};
  SSL_set_alpn_protos(
      tls,
      reinterpret_cast<const unsigned char*>(names.data()),
      static_cast<unsigned>(names.size()));
  BIO* const out = BIO_new(BIO_s_mem());
  SSL_set_bio(tls, BIO_new(BIO_s_mem()), out);
  SSL_set_connect_state(tls);
  SSL_do_handshake(tls);
  std::array<char, 4096> hello{};
  return {hello.data(), static_cast<std::size_t>(BIO_read(out, hello.data(), hello.size()))};
}

std::string probe_bytes(const std::string& probe) {
  const auto colon = probe.find(':');
  const auto kind = probe.substr(0, colon);
  const auto value = probe.substr(colon + 1);
  if (kind == "text") return value + "\r\n";
  if (kind == "alpn") return client_hello(value);
  std::string bytes;
  for (std::size_t at = 0; at + 1 < value.size(); at += 2) {
    bytes.push_back(static_cast<char>(std::strtol(value.substr(at, 2).c_str(), nullptr, 16)));
  }
  return kind == "byte" ? bytes + "hello" : bytes;
}

void watch(int epoll, int operation, int descriptor, unsigned events, std::uint32_t key) {
  epoll_event event{};
  event.events = events;
  event.data.u32 = key;
  epoll_ctl(epoll, operation, descriptor, &event);
}

// --- backend

struct Guest {
  bool greeted = false;
  std::string unsent;
};

int serve(const std::string& at, const std::string& tag) {
  const auto address = endpoint(at);
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &kOn, sizeof kOn);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener, 4096) != 0) {
    fatal(std::strerror(errno));
  }
  const int epoll = epoll_create1(0);
  watch(epoll, EPOLL_CTL_ADD, listener, EPOLLIN, static_cast<std::uint32_t>(listener));
  std::vector<Guest> guests(1 << 16);
  std::vector<char> buffer(1 << 16);
  std::array<epoll_event, 256> events{};
  for (;;) {
    const int count = epoll_wait(epoll, events.data(), events.size(), -1);
    for (int each = 0; each < count; ++each) {
      const int guest = static_cast<int>(events[each].data.u32);
      if (guest == listener) {
        for (int accepted; (accepted = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
          setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &kOn, sizeof kOn);
          guests[accepted] = {};
          watch(epoll, EPOLL_CTL_ADD, accepted, EPOLLIN, static_cast<std::uint32_t>(accepted));
        }
        continue;
      }
      auto& [greeted, unsent] = guests[guest];
      if (unsent.empty()) {
        const auto got = read(guest, buffer.data(), buffer.size());
        if (got < 0 && errno == EAGAIN) continue;
        if (got <= 0) {
          close(guest);
          continue;
        }
        unsent = greeted ? std::string(buffer.data(), got) : tag + "\n";
        greeted = true;
      }
      const auto sent = write(guest, unsent.data(), unsent.size());
      if (sent < 0 && errno != EAGAIN) {
        close(guest);
        continue;
      }
      if (sent > 0) unsent.erase(0, sent);
      watch(
          epoll,
          EPOLL_CTL_MOD,
          guest,
          unsent.empty() ? EPOLLIN : EPOLLOUT,
          static_cast<std::uint32_t>(guest));
    }
  }
}

// --- load

enum class State { connecting, tagged, echoing };

struct Client {
  int socket = -1;
  State state = State::connecting;
  Clock::time_point begin;
  std::string answer;
  std::size_t sent = 0;
  std::size_t received = 0;
};

class Load {
public:
  Load(
      const std::string& mode,
      const std::string& at,
      const std::string& probe,
      const std::string& tag,
      int in_flight)
      : connects_{mode == "conn"},
        address_{endpoint(at)},
        probe_{probe_bytes(probe)},
        tag_{tag + "\n"},
        payload_(mode == "bulk" ? 65536 : 64, 'x'),
        clients_(in_flight) {}

  void run(Clock::time_point end) {
    for (std::uint32_t key = 0; key < clients_.size(); ++key)
      start(key);
    std::array<epoll_event, 256> events{};
    while (Clock::now() < end && errors_ < kGiveUp) {
      const int count = epoll_wait(epoll_, events.data(), events.size(), 100);
      for (int each = 0; each < count; ++each)
        step(events[each].data.u32, events[each].events);
    }
  }

  [[nodiscard]] std::vector<double>& latencies() noexcept { return latencies_; }

  [[nodiscard]] std::size_t payload() const noexcept { return payload_.size(); }

  [[nodiscard]] long errors() const noexcept { return errors_; }

  [[nodiscard]] const std::string& error() const noexcept { return error_; }

private:
  void start(std::uint32_t key) {
    auto& client = clients_[key];
    client = {};
    client.begin = Clock::now();
    client.socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const linger reset{1, 0}; // no TIME_WAIT: ports come back at once
    setsockopt(client.socket, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    setsockopt(client.socket, IPPROTO_TCP, TCP_NODELAY, &kOn, sizeof kOn);
    setsockopt(client.socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &kOn, sizeof kOn);
    sockaddr_in source{};
    source.sin_family = AF_INET;
    source.sin_addr.s_addr = htonl(0x7f000201 + started_++ % 8); // 127.0.2.1 … 8: enough ports
    bind(client.socket, reinterpret_cast<const sockaddr*>(&source), sizeof source);
    const auto* to = reinterpret_cast<const sockaddr*>(&address_);
    if (connect(client.socket, to, sizeof address_) != 0 && errno != EINPROGRESS) {
      note(std::strerror(errno));
    }
    watch(epoll_, EPOLL_CTL_ADD, client.socket, EPOLLOUT, key);
  }

  void note(std::string why) {
    ++errors_;
    error_ = std::move(why);
  }

  void fail(std::uint32_t key, std::string why) {
    note(std::move(why));
    close(clients_[key].socket);
    if (errors_ < kGiveUp) start(key);
  }

  void done(const Client& client) {
    latencies_.push_back(Seconds(Clock::now() - client.begin).count());
  }

  void push(std::uint32_t key) {
    auto& client = clients_[key];
    const auto left = payload_.size() - client.sent;
    const auto sent = write(client.socket, payload_.data() + client.sent, left);
    if (sent > 0) client.sent += sent;
    const bool all = client.sent == payload_.size();
    watch(epoll_, EPOLL_CTL_MOD, client.socket, all ? EPOLLIN : EPOLLIN | EPOLLOUT, key);
  }

  void echo(std::uint32_t key) {
    auto& client = clients_[key];
    client.state = State::echoing;
    client.sent = client.received = 0;
    client.begin = Clock::now();
    push(key);
  }

  void connected(std::uint32_t key) {
    auto& client = clients_[key];
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(client.socket, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return fail(key, std::strerror(error));
    if (write(client.socket, probe_.data(), probe_.size()) != static_cast<ssize_t>(probe_.size())) {
      return fail(key, "short write");
    }
    client.state = State::tagged;
    watch(epoll_, EPOLL_CTL_MOD, client.socket, EPOLLIN, key);
  }

  void answered(std::uint32_t key) {
    auto& client = clients_[key];
    if (client.answer.size() < tag_.size()) return;
    if (client.answer != tag_) return fail(key, "wrong answer: " + client.answer.substr(0, 20));
    if (!connects_) return echo(key);
    done(client);
    close(client.socket);
    start(key);
  }

  void step(std::uint32_t key, unsigned events) {
    auto& client = clients_[key];
    if (client.state == State::connecting) return connected(key);
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return push(key);
    const auto got = read(client.socket, buffer_.data(), buffer_.size());
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return fail(key, got == 0 ? "closed by the server" : std::strerror(errno));
    if (client.state == State::tagged) {
      client.answer.append(buffer_.data(), got);
      return answered(key);
    }
    client.received += got;
    if (client.received < payload_.size()) return;
    done(client);
    echo(key);
  }

  bool connects_;
  sockaddr_in address_;
  std::string probe_;
  std::string tag_;
  std::string payload_;
  std::vector<Client> clients_;
  int epoll_ = epoll_create1(0);
  unsigned started_ = 0;
  std::vector<char> buffer_ = std::vector<char>(1 << 17);
  std::vector<double> latencies_;
  long errors_ = 0;
  std::string error_;
};

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](timeval time) { return time.tv_sec + time.tv_usec * 1e-6; };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

} // namespace

int main(int count, char** words) {
  std::signal(SIGPIPE, SIG_IGN);
  if (count == 4 && std::string_view{words[1]} == "backend") return serve(words[2], words[3]);
  if (count != 7) fatal("see the head of routebench.cpp");
  Load load{words[1], words[2], words[3], words[4], std::atoi(words[5])};
  const auto begin = Clock::now();
  load.run(begin + std::chrono::duration_cast<Clock::duration>(Seconds{std::atof(words[6])}));
  const double took = Seconds(Clock::now() - begin).count();

  auto& sorted = load.latencies();
  std::sort(sorted.begin(), sorted.end());
  const auto microseconds = [&](double part) {
    const auto at = static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1));
    return sorted.empty() ? 0 : sorted[at] * 1e6;
  };
  const auto done = static_cast<double>(sorted.size());
  std::printf(
      R"({"mode":"%s","addr":"%s","probe":"%s","in_flight":%s,"ops":%.0f,"per_s":%.0f,)"
      R"("mib_per_s":%.1f,"p50_us":%.0f,"p99_us":%.0f,"worst_us":%.0f,"errors":%ld,"error":"%s",)"
      R"("client_cpu_us_per_op":%.1f})"
      "\n",
      words[1],
      words[2],
      words[3],
      words[5],
      done,
      done / took,
      done * static_cast<double>(load.payload()) / took / (1 << 20),
      microseconds(.5),
      microseconds(.99),
      microseconds(1),
      load.errors(),
      load.error().c_str(),
      done > 0 ? cpu_seconds() * 1e6 / done : 0);
  return load.errors() == 0 ? 0 : 1;
}
