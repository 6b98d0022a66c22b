#include "replacing_host.hpp"

#include "generation.hpp"

#include <host/connection/connection.hpp>
#include <host/listen/endpoint.hpp>
#include <host/plugin/control_call.hpp>
#include <host/serve/dial_service.hpp>
#include <host/serve/plugin_log.hpp>

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include <csignal>
#include <future>
#include <stdexcept>
#include <utility>

namespace switchyard::grpc::test {

using namespace host;

namespace {

constexpr std::uint32_t kLoops = 2;

StagingDirectory staging_in(const std::string& data_dir) {
  auto opened = StagingDirectory::open(data_dir);
  if (!opened) throw std::runtime_error{opened.error().text};
  return *std::move(opened);
}

} // namespace

ReplacingHost::ReplacingHost(const std::string& data_dir)
    : log_{spdlog::level::warn, LogFormat::Plain},
      loop_service_{make_loop_service(kLoops)},
      services{make_plugin_log(log_), config_.limits.control_timeout / 2},
      staging{staging_in(data_dir)} {
  std::signal(SIGPIPE, SIG_IGN); // as run() does
  auto endpoint = *parse_endpoint("127.0.0.1:0");
  for (std::uint32_t index = 0; index < kLoops; ++index) {
    auto& stages = *loops_.emplace_back(std::make_unique<LoopStages>(
        index, std::make_shared<const Config>(config_), log_.component("route")));
    acceptors_.push_back(Acceptor::bind(stages.loop, endpoint).value());
    endpoint = acceptors_.back()->local_endpoint(); // the port that 0 became
    stages.loop.start();
  }
}

ReplacingHost::~ReplacingHost() {
  close();
  on_each_loop([](LoopStages& stages) { stages.connections.close_all(CloseReason::Drained); });
  for (const auto& stages : loops_)
    stages->loop.stop();
}

void ReplacingHost::start(Generation& first) {
  newest_ = &first;
  for (std::size_t index = 0; index < loops_.size(); ++index) {
    auto& stages = *loops_[index];
    acceptors_[index]->start(
        [this, &stages](const Accepted& accepted) {
          const auto made = Connection::open(stages.connections, accepted.socket, {});
          if (!made) return stages.refuse(CloseReason::AtCapacity, accepted.peer);
          if (!newest_.load()->serve(**made))
            stages.refuse(CloseReason::Refused, accepted.peer, **made);
        },
        [&stages](const LoopStages::Peer& peer) { stages.refuse(CloseReason::AtCapacity, peer); });
  }
}

std::uint16_t ReplacingHost::port() const {
  return acceptors_.front()->local_endpoint().port();
}

void ReplacingHost::flip(Generation& next) {
  newest_ = &next;
  on_each_loop([](LoopStages&) {}); // what looked at it before has served by then
}

void ReplacingHost::close() {
  on_each_loop([this](LoopStages& stages) { acceptors_[stages.loop.index()]->drain_and_close(); });
}

void ReplacingHost::call(
    const std::string& function, const std::function<sy_status(sy_error* error)>& body) {
  const auto called =
      control_call(control_, config_.limits.control_timeout, "grpc", function, body);
  if (!called) throw std::runtime_error{called.error().text};
}

void ReplacingHost::renew_control_thread() {
  if (!control_.renew(config_.limits.control_timeout))
    throw std::runtime_error{"the control thread does not end"};
}

LoopServices ReplacingHost::loop_services() {
  return {&loop_service_, &kDialService, &loops_, &cancel_dials, &close_connections, &begin_turns};
}

template <class Task>
void ReplacingHost::on_each_loop(Task task) {
  for (const auto& stages : loops_) {
    std::promise<void> done;
    boost::asio::post(stages->loop.executor(), [&] {
      task(*stages);
      done.set_value();
    });
    done.get_future().wait();
  }
}

} // namespace switchyard::grpc::test
