#include "generation.hpp"

#include "replacing_host.hpp"

#include <host/connection/connection.hpp>
#include <host/plugin/verify.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <utility>
#include <vector>

namespace switchyard::grpc::test {

using namespace host;

namespace {

/// "grpc.external" in the manifest.
constexpr std::uint32_t kExternal = 1;

/// As limits.drain_timeout and limits.control_timeout of a host are by default.
constexpr std::chrono::seconds kDrainTimeout{30};
constexpr std::chrono::seconds kControlTimeout{10};

template <class T>
T must(OrRefusal<T> result) {
  if (!result) throw std::runtime_error{result.error().text};
  return *std::move(result);
}

} // namespace

Generation::Generation(
    ReplacingHost& host,
    Service& service,
    sy_registration* registration,
    std::uint32_t number,
    const std::string& library)
    : host_{host}, number_{number}, offer_{service, number}, registration_{registration} {
  load(library);
  host_services_ = std::make_unique<InstanceServices>(
      host.services, host.loop_services(), "grpc", std::vector<std::string>{});
  host.call("init()", [this](sy_error* error) {
    constexpr std::string_view kConfig{"{}"};
    return plugin_->init(
        &host_services_->host, {kConfig.data(), kConfig.size()}, &instance_, error);
  });
  host_services_->phase = ServicePhase::Running;
  host.call("start()", [this](sy_error* error) { return plugin_->start(instance_, error); });
  host.call("activate()", [this](sy_error* error) { return plugin_->activate(instance_, error); });
  host.call("bind()", [this](sy_error* error) {
    const auto entry = offer_.entry();
    const auto& registrar = services().registrar;
    const sy_string name{Service::kName.data(), Service::kName.size()};
    return registrar.bind(instance_, registration_, name, &entry, sizeof entry, error);
  });
}

Generation::~Generation() {
  if (instance_ == nullptr) return;
  try {
    static_cast<void>(stop());
  } catch (const std::runtime_error& failure) {
    ADD_FAILURE() << "generation " << number_ << ": " << failure.what();
  }
}

void Generation::load(const std::string& path) {
  file_.emplace(must(host_.staging.stage({"grpc", path, "plugins.toml:1"})));
  const auto verified = must(verify_plugin("grpc", path, MappedFile{*file_}.bytes()));
  if (file_->name(verified.manifest.id, verified.manifest.version, number_ + 1) == 0)
    throw std::runtime_error{"no name is free for the copy"};
  host_.call("dlopen()", [&](sy_error*) {
    library_ = must(Library::open("grpc", path, file_->path(), verified.platform));
    return SY_OK;
  });
  plugin_ = &library_.descriptor();
}

const sy_grpc_services& Generation::services() {
  return *static_cast<const sy_grpc_services*>(plugin_->query(instance_, SY_GRPC_SERVICES));
}

bool Generation::serve(Connection& connection) {
  auto place = take_place(*host_services_);
  if (!place) return false;
  connection.route_to(std::move(place), "grpc.external", -1);
  if (plugin_->serve(instance_, kExternal, &connection) == SY_OK) return true;
  connection.leave_plugin();
  return false;
}

void Generation::drain() {
  host_services_->draining = true;
  host_.call("drain()", [this](sy_error*) {
    const auto deadline = Loop::Clock::now() + kDrainTimeout;
    return plugin_->drain(
        instance_,
        static_cast<std::uint64_t>(deadline.time_since_epoch().count()),
        [](void* drained) { static_cast<std::promise<void>*>(drained)->set_value(); },
        &drained_);
  });
}

bool Generation::drained(std::chrono::seconds limit) const {
  return end_of_drain_.wait_for(limit) == std::future_status::ready;
}

std::string Generation::stop() {
  host_.call("unbind()", [this](sy_error*) {
    services().registrar.unbind(instance_, registration_);
    return SY_OK;
  });
  host_.call("stop()", [this](sy_error* error) { return plugin_->stop(instance_, error); });
  host_services_->phase = ServicePhase::Stopped;
  host_.call("destroy()", [this](sy_error*) {
    plugin_->destroy(std::exchange(instance_, nullptr));
    return SY_OK;
  });
  auto left = host_services_->leftovers(std::chrono::steady_clock::now() + kControlTimeout);
  host_services_.reset();
  if (!left.empty()) return left + " left";
  host_.renew_control_thread();
  bool gone = false;
  host_.call("dlclose()", [&](sy_error*) {
    gone = library_.unload();
    return SY_OK;
  });
  return gone ? "" : "the loader keeps it mapped";
}

} // namespace switchyard::grpc::test
