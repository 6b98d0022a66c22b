#include "netrpc.hpp"

#include <proto/netrpc/request.hpp>
#include <proto/netrpc/response.hpp>

#include <dlfcn.h>
#include <fstream>
#include <iterator>

namespace switchyard::netrpc::test {
namespace {

std::string as_text(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string load(const std::string& file) {
  std::ifstream in{
      SWITCHYARD_SOURCE_DIR "/tests/vectors/consul-1.8.7/raw/raw-" + file, std::ios::binary};
  EXPECT_TRUE(in) << file;
  return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace

std::string request(std::uint64_t seq, std::string_view method, std::string_view body) {
  std::vector<std::byte> bytes;
  append_request_header(bytes, seq, method);
  return as_text(bytes).append(body);
}

std::string response(std::uint64_t seq, std::string_view method, std::string_view body) {
  std::vector<std::byte> bytes;
  append_response_header(bytes, seq, method);
  return as_text(bytes).append(body);
}

std::string failure(std::uint64_t seq, std::string_view method, std::string_view error) {
  std::vector<std::byte> bytes;
  append_error_response(bytes, seq, method, error);
  return as_text(bytes);
}

Recording::Recording(const std::string& name)
    : sent{load(name + ".c2s.bin")}, received{load(name + ".s2c.bin")} {}

Library::Library()
    : handle_{::dlopen(SWITCHYARD_BINARY_DIR "/lib/switchyard/netrpc.so", RTLD_NOW | RTLD_LOCAL)} {
  if (handle_ == nullptr) throw std::runtime_error{::dlerror()};
  plugin_ = static_cast<const sy_plugin*>(::dlsym(handle_, SY_PLUGIN_SYMBOL));
}

Library::~Library() {
  ::dlclose(handle_);
}

Endpoint::Held Endpoint::take() {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [this] { return !held_.empty(); });
  auto held = std::move(held_.front());
  held_.pop_front();
  return held;
}

std::vector<sy_netrpc_call*> Endpoint::cancelled(std::size_t count) {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [&] { return cancelled_.size() >= count; });
  return cancelled_;
}

std::size_t Endpoint::waiting() {
  const std::lock_guard lock{mutex_};
  return held_.size();
}

sy_netrpc_endpoint Endpoint::entry(std::uint32_t flags) {
  return {
      .struct_size = sizeof(sy_netrpc_endpoint),
      .flags = flags,
      .context = this,
      .call =
          [](void* context, sy_netrpc_call* call, sy_bytes body) {
            auto& self = *static_cast<Endpoint*>(context);
            const std::lock_guard lock{self.mutex_};
            self.held_.push_back({call, {static_cast<const char*>(body.data), body.size}});
            self.changed_.notify_all();
          },
      .cancel =
          [](void* context, sy_netrpc_call* call) {
            auto& self = *static_cast<Endpoint*>(context);
            const std::lock_guard lock{self.mutex_};
            self.cancelled_.push_back(call);
            self.changed_.notify_all();
          }};
}

Netrpc::Netrpc() {
  host.offer(SY_JOURNAL, journal.table());
}

void Netrpc::bring_up(std::string_view config) {
  ASSERT_EQ(plugin->init(host.get(), text(config), &instance, &error), SY_OK) << error.text;
  ASSERT_EQ(plugin->start(instance, &error), SY_OK) << error.text;
  ASSERT_EQ(plugin->activate(instance, &error), SY_OK) << error.text;
}

void Netrpc::bring_down() {
  if (instance == nullptr) return;
  EXPECT_EQ(plugin->stop(instance, &error), SY_OK) << error.text;
  settle(); // what was posted has returned
  EXPECT_EQ(host.connections, 0);
  EXPECT_EQ(host.timers, 0);
  EXPECT_EQ(host.posts, 0);
  EXPECT_EQ(journal.held(), 0);
  for (const auto* gauge : {"sessions", "streams", "client_sessions"}) {
    EXPECT_EQ(host.metric(gauge), 0) << gauge;
  }
  plugin->destroy(instance);
  instance = nullptr;
}

Socket Netrpc::open(std::uint32_t protocol, std::uint32_t loop) {
  auto [ours, theirs] = peer::socket_pair();
  host.on_loop(loop, [&, descriptor = theirs.release()] {
    EXPECT_EQ(plugin->serve(instance, protocol, host.connect(descriptor)), SY_OK);
  });
  return std::move(ours);
}

void Netrpc::offer(std::string_view method, Endpoint& endpoint, std::uint32_t flags) {
  const auto entry = endpoint.entry(flags);
  std::string why;
  EXPECT_EQ(journal.add(endpoints().registrar, instance, method, &entry, sizeof entry, &why), SY_OK)
      << why;
}

// The first may run in a round of the loop that had looked at its sockets before.
void Netrpc::settle() {
  for (const std::uint32_t loop : {0u, 0u, 1u, 1u})
    host.on_loop(loop, [] {});
}

void Netrpc::advance(std::uint64_t nanoseconds) {
  host.advance(nanoseconds);
  settle();
}

std::future<void> Netrpc::drain() {
  const auto done = [](void* context) { static_cast<std::promise<void>*>(context)->set_value(); };
  EXPECT_EQ(plugin->drain(instance, 0, done, &drained_), SY_OK);
  return drained_.get_future();
}

const sy_netrpc_endpoints& Netrpc::endpoints() {
  return *static_cast<const sy_netrpc_endpoints*>(plugin->query(instance, SY_NETRPC_ENDPOINTS));
}

} // namespace switchyard::netrpc::test
