#pragma once

#include "service.hpp"

#include <switchyard/failure.hpp>
#include <switchyard/plugin.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tests/peer/fake_host.hpp>
#include <tests/peer/fake_journal.hpp>
#include <tests/peer/plugin_file.hpp>
#include <tests/peer/socket_pair.hpp>

#include <future>
#include <string>

namespace switchyard::grpc::test {

using peer::Socket;

constexpr std::uint64_t kSecond = 1'000'000'000;

// The protocols in the order of the manifest.
constexpr std::uint32_t kInternal = 0;
constexpr std::uint32_t kExternal = 1;

/// The plugin between a fake host and clients that the test plays, with one service of another
/// plugin. At the end of each test it is stopped and nothing may be left of it.
class Grpc : public testing::Test {
protected:
  Grpc();

  void SetUp() override { bring_up("{}"); }

  void TearDown() override { bring_down(); }

  void bring_up(std::string_view config);
  void bring_down();

  /// A connection that the plugin serves; the test has the client's end.
  Socket open(std::uint32_t protocol = kExternal, bool tls = false);

  /// Registers `service`; what the plugin says when it does not take it.
  std::string
  offer(std::string_view name, const sy_grpc_service& entry, sy_status expected = SY_OK);

  /// Returns when the plugin has seen everything that was sent before.
  void settle();

  /// Turns the clock and lets what is due happen.
  void advance(std::uint64_t nanoseconds);

  /// Begins a drain of 30 s; the future is set when the plugin says that it is done.
  std::future<void> drain();

  const sy_grpc_services& services();

  peer::PluginFile plugin;
  peer::FakeHost host{2};
  peer::FakeJournal journal;
  Service service; ///< registered as "test.Service"
  sy_instance* instance = nullptr;
  sy_error error = make_error();

private:
  std::uint32_t next_loop_ = 0;
  std::promise<void> drained_;
};

} // namespace switchyard::grpc::test
