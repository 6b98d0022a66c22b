#pragma once

#include <switchyard/failure.hpp>
#include <switchyard/netrpc/endpoints.h>
#include <switchyard/plugin.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tests/peer/fake_host.hpp>
#include <tests/peer/fake_journal.hpp>
#include <tests/peer/socket_pair.hpp>

#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <string>

namespace switchyard::netrpc::test {

using peer::Socket;

constexpr std::uint64_t kSecond = 1'000'000'000;

// The protocols in the order of the manifest.
constexpr std::uint32_t kSingle = 0;
constexpr std::uint32_t kMulti = 1;
constexpr std::uint32_t kInsecure = 2;

inline sy_string text(std::string_view view) {
  return {view.data(), view.size()};
}

/// A request with its body, an answer with its, and an error answer; as Go writes them.
std::string request(std::uint64_t seq, std::string_view method, std::string_view body = "\x80");
std::string response(std::uint64_t seq, std::string_view method, std::string_view body = "\x80");
std::string failure(std::uint64_t seq, std::string_view method, std::string_view error);

/// A connection recorded from Consul; `name` is the file's, without "raw-" and its ending.
struct Recording {
  explicit Recording(const std::string& name);

  std::string sent; ///< tag included
  std::string received;
};

/// netrpc.so as a host loads it.
class Library {
public:
  Library();
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  const sy_plugin* operator->() const { return plugin_; }

private:
  void* handle_;
  const sy_plugin* plugin_;
};

/// A registrant whose endpoint keeps its calls until the test answers them. Any thread.
class Endpoint {
public:
  struct Held {
    sy_netrpc_call* call;
    std::string body;
  };

  /// The oldest call that was not taken yet; waits for one.
  Held take();

  /// Waits until so many calls were cancelled; returns them.
  std::vector<sy_netrpc_call*> cancelled(std::size_t count);

  [[nodiscard]] std::size_t waiting();

  [[nodiscard]] sy_netrpc_endpoint entry(std::uint32_t flags = 0);

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Held> held_;
  std::vector<sy_netrpc_call*> cancelled_;
};

inline void reply(const Endpoint::Held& held, std::string_view body) {
  held.call->api->reply(held.call, {body.data(), body.size()});
}

inline void fail(const Endpoint::Held& held, std::string_view error) {
  held.call->api->fail(held.call, text(error));
}

/// The plugin between a fake host and peers that the test plays. At the end of each test it is
/// stopped and nothing may be left of it.
class Netrpc : public testing::Test {
protected:
  Netrpc();

  void SetUp() override { bring_up("{}"); }

  void TearDown() override { bring_down(); }

  void bring_up(std::string_view config);
  void bring_down();

  /// A connection that the plugin serves; the test has the peer's end.
  Socket open(std::uint32_t protocol, std::uint32_t loop = 0);

  /// Makes `endpoint` reachable as `method`.
  void offer(std::string_view method, Endpoint& endpoint, std::uint32_t flags = 0);

  /// Returns when the plugin has seen everything that was sent before.
  void settle();

  /// Turns the clock and lets what is due happen.
  void advance(std::uint64_t nanoseconds);

  /// Begins a drain; the future is set when the plugin says that it is done.
  std::future<void> drain();

  const sy_netrpc_endpoints& endpoints();

  Library plugin;
  peer::FakeHost host{2};
  peer::FakeJournal journal;
  sy_instance* instance = nullptr;
  sy_error error = make_error();

private:
  std::promise<void> drained_;
};

} // namespace switchyard::netrpc::test
