#include "grpc.hpp"

#include <sys/socket.h>

namespace switchyard::grpc::test {

Grpc::Grpc() : plugin{SWITCHYARD_BINARY_DIR "/lib/switchyard/grpc.so"} {
  host.offer(SY_JOURNAL, journal.table());
}

void Grpc::bring_up(std::string_view config) {
  ASSERT_EQ(plugin->init(host.get(), text(config), &instance, &error), SY_OK) << error.text;
  ASSERT_EQ(plugin->start(instance, &error), SY_OK) << error.text;
  ASSERT_EQ(plugin->activate(instance, &error), SY_OK) << error.text;
  offer("test.Service", service.entry());
}

void Grpc::bring_down() {
  if (instance == nullptr) return;
  EXPECT_EQ(plugin->stop(instance, &error), SY_OK) << error.text;
  settle(); // what was posted has returned
  EXPECT_EQ(host.connections, 0);
  EXPECT_EQ(host.timers, 0);
  EXPECT_EQ(host.posts, 0);
  EXPECT_EQ(host.threads, 0);
  EXPECT_EQ(journal.held(), 0);
  EXPECT_EQ(host.metric("connections"), 0);
  EXPECT_EQ(host.metric("calls"), 0);
  plugin->destroy(instance);
  instance = nullptr;
}

Socket Grpc::open(std::uint32_t protocol, bool tls) {
  auto [ours, theirs] = peer::socket_pair();
  host.on_loop(next_loop_++ % 2, [&, descriptor = theirs.release()] {
    EXPECT_EQ(plugin->serve(instance, protocol, host.connect(descriptor, tls)), SY_OK);
  });
  return std::move(ours);
}

std::string Grpc::offer(std::string_view name, const sy_grpc_service& entry, sy_status expected) {
  std::string why;
  const auto status = journal.add(services().registrar, instance, name, &entry, sizeof entry, &why);
  EXPECT_EQ(status, expected) << why;
  return why;
}

// The first may run in a round of the loop that had looked at its sockets before.
void Grpc::settle() {
  for (const std::uint32_t loop : {0u, 0u, 1u, 1u})
    host.on_loop(loop, [] {});
}

void Grpc::advance(std::uint64_t nanoseconds) {
  host.advance(nanoseconds);
  settle();
}

std::future<void> Grpc::drain() {
  const auto done = [](void* context) { static_cast<std::promise<void>*>(context)->set_value(); };
  const auto* loops = static_cast<const sy_loops*>(host.get()->service(host.get(), SY_LOOPS));
  const auto deadline = loops->now(host.get()) + 30 * kSecond;
  EXPECT_EQ(plugin->drain(instance, deadline, done, &drained_), SY_OK);
  return drained_.get_future();
}

const sy_grpc_services& Grpc::services() {
  return *static_cast<const sy_grpc_services*>(plugin->query(instance, SY_GRPC_SERVICES));
}

} // namespace switchyard::grpc::test
