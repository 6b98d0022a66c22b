#include <host/plugin/control_call.hpp>
#include <host/plugin/rehearsal.hpp>
#include <host/services/instance_services.hpp>

#include <chrono>
#include <memory>
#include <utility>

namespace switchyard::host {
namespace {

struct Rehearsal {
  Rehearsal(const PluginEnvironment& around, const std::string& plugin)
      : services{around.services, around.loops, plugin, {}} {}

  InstanceServices services;
  std::unique_ptr<IsolatedCode> code;
};

bool hangs(const OrRefusal<void>& call) {
  return !call && call.error().code == RefusalCode::CallHung;
}

} // namespace

OrRefusal<void>
rehearse(const PluginEnvironment& around, IsolatedPlugin plugin, std::string config) {
  const auto limit = around.config.limits.control_timeout;
  const auto name = plugin.name;
  const auto trial = std::make_shared<Rehearsal>(around, name);
  trial->code = around.isolate(std::move(plugin));
  const auto ask = [&](std::string_view function, auto body) {
    return control_call(
        around.control,
        limit + kStandInMargin,
        name,
        function,
        [trial, body = std::move(body)](sy_error* error) { return body(*trial, error); });
  };

  auto done = ask("a trial of init()", [text = std::move(config)](Rehearsal& of, sy_error* error) {
    auto* made = of.code->handle();
    return of.code->api().init(&of.services.host, {text.data(), text.size()}, &made, error);
  });
  if (hangs(done)) return done; // the call keeps the trial
  if (done) {
    done = ask("a trial of start()", [](Rehearsal& of, sy_error* error) {
      return of.code->api().start(of.code->handle(), error);
    });
    if (hangs(done)) return done;
    // How it stops is judged when it has served.
    const auto ended = ask("stop() of a trial", [](Rehearsal& of, sy_error* error) {
      const auto stopped = of.code->api().stop(of.code->handle(), error);
      of.services.phase = ServicePhase::Stopped;
      if (stopped == SY_OK) of.code->api().destroy(of.code->handle());
      return stopped;
    });
    if (hangs(ended)) return done;
  }
  trial->code.reset();
  static_cast<void>(trial->services.leftovers(std::chrono::steady_clock::now() + limit));
  return done;
}

} // namespace switchyard::host
