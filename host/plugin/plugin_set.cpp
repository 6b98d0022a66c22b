#include <host/plugin/control_thread.hpp>
#include <host/plugin/order.hpp>
#include <host/plugin/plugin_set.hpp>
#include <host/plugin/staging.hpp>

#include <algorithm>
#include <atomic>
#include <optional>

namespace switchyard::host {

struct PluginSet::State {
  State(const Config& all, Services& shared, const LoopServices& of_loops)
      : config{all}, services{shared}, loops{of_loops} {}

  const Config& config;
  Services& services;
  LoopServices loops;

  std::optional<StagingDirectory> staging;
  ControlThread control;
  std::vector<std::unique_ptr<Instance>> plugins;
  std::vector<std::size_t> order; ///< in which they start
  RouteTable routes;
  std::vector<Refusal> refusals;

  [[nodiscard]] bool failed(std::size_t plugin) const {
    return plugins[plugin]->state() == PluginState::Failed;
  }

  void refused(std::size_t plugin, const Refusal& refusal) {
    if (!failed(plugin)) plugins[plugin]->fail(refusal);
    refusals.push_back(refusal);
  }

  [[nodiscard]] std::vector<const Manifest*> manifests() const {
    std::vector<const Manifest*> all;
    for (const auto& plugin : plugins)
      all.push_back(plugin->manifest());
    return all;
  }

  /// Everything that can be judged without running a plugin in this process.
  void prepare() {
    auto opened = StagingDirectory::open(config.host.data_dir);
    if (!opened) {
      refusals.push_back(opened.error());
      return;
    }
    staging.emplace(*std::move(opened));
    for (const auto& plugin : config.plugins) {
      plugins.push_back(std::make_unique<Instance>(
          PluginEnvironment{config, *staging, control, services, loops}, plugin));
      const auto& instance = plugins.back();
      auto judged = instance->verify();
      if (judged) judged = instance->probe();
      if (!judged) refusals.push_back(judged.error());
    }
    route();
    plan();
  }

  void route() {
    auto known = manifests();
    for (std::size_t at = 0; at < known.size(); ++at) {
      if (failed(at)) known[at] = nullptr;
    }
    for (const auto& problem : make_routes(config, known).problems) {
      if (problem.plugin) {
        refused(*problem.plugin, problem.refusal);
      } else {
        refusals.push_back(problem.refusal);
      }
    }
  }

  void plan() {
    std::vector<bool> out;
    for (std::size_t at = 0; at < plugins.size(); ++at)
      out.push_back(failed(at));
    auto planned = start_order(config, manifests(), out);
    for (const auto& problem : planned.problems)
      refused(problem.plugin, problem.refusal);
    order = std::move(planned.start);
  }

  /// The first interface that `plugin` requires of one that has failed since the plan was made.
  [[nodiscard]] std::optional<Refusal> lost_provider(std::size_t plugin) const {
    for (const auto& required : plugins[plugin]->manifest()->requires_) {
      if (required.optional) continue;
      for (std::size_t at = 0; at < plugins.size(); ++at) {
        const auto* manifest = plugins[at]->manifest();
        if (!failed(at) || manifest == nullptr) continue;
        if (std::ranges::find(
                manifest->provides, required.interface, &ProvidedInterface::interface) !=
            manifest->provides.end()) {
          return refuse(
              RefusalCode::ProviderFailed,
              plugins[plugin]->name(),
              {required.interface, plugins[at]->name()});
        }
      }
    }
    return std::nullopt;
  }

  void launch() {
    for (const auto plugin : order) {
      if (const auto refusal = lost_provider(plugin)) {
        refused(plugin, *refusal);
      } else if (const auto launched = plugins[plugin]->launch(); !launched) {
        refusals.push_back(launched.error());
        if (config.host.on_plugin_failure == OnPluginFailure::Exit) return;
      }
    }
    auto serving = manifests();
    for (std::size_t at = 0; at < serving.size(); ++at) {
      if (plugins[at]->state() != PluginState::Serving) serving[at] = nullptr;
    }
    routes = make_routes(config, serving).table;
  }

  void abort_all() {
    for (const auto& plugin : plugins)
      plugin->abort_all();
  }

  void stop() {
    std::for_each(order.rbegin(), order.rend(), [&](auto plugin) { plugins[plugin]->stop(); });
  }
};

PluginSet::PluginSet(const Config& config, Services& services, const LoopServices& loops)
    : state_{std::make_unique<State>(config, services, loops)} {}

PluginSet::~PluginSet() {
  stop();
}

std::vector<Refusal> PluginSet::start() {
  auto& s = *state_;
  s.prepare();
  const auto exits = s.config.host.on_plugin_failure == OnPluginFailure::Exit;
  if (!s.staging || (exits && !s.refusals.empty())) return s.refusals;
  s.launch();
  if (exits && !s.refusals.empty()) s.stop();
  return s.refusals;
}

std::vector<Refusal> PluginSet::judge() {
  state_->prepare();
  return state_->refusals;
}

const RouteTable& PluginSet::routes() const noexcept {
  return state_->routes;
}

const std::vector<std::unique_ptr<Instance>>& PluginSet::plugins() const noexcept {
  return state_->plugins;
}

Instance* PluginSet::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(
      state_->plugins, name, [](const auto& plugin) -> std::string_view { return plugin->name(); });
  return found == state_->plugins.end() ? nullptr : found->get();
}

void PluginSet::drain(std::uint64_t deadline, std::function<void()> done) {
  struct Draining {
    Draining(std::size_t all, std::function<void()> told) : left{all}, done{std::move(told)} {}

    std::atomic<std::size_t> left;
    std::function<void()> done;

    void one_less() {
      if (left.fetch_sub(1) == 1) done();
    }
  };

  const auto draining = std::make_shared<Draining>(state_->plugins.size() + 1, std::move(done));
  std::for_each(state_->order.rbegin(), state_->order.rend(), [&](auto plugin) {
    state_->plugins[plugin]->drain(deadline, [draining] { draining->one_less(); });
  });
  // Those that never started, and the one that stands for this loop.
  for (auto rest = state_->plugins.size() + 1 - state_->order.size(); rest != 0; --rest) {
    draining->one_less();
  }
}

void PluginSet::abort_all() {
  state_->abort_all();
}

void PluginSet::stop() {
  state_->stop();
}

std::vector<std::string> check_plugins(const Config& config) {
  Services services{
      {[](std::string_view, sy_log_level, std::string_view) {}, [](sy_log_level) { return false; }},
      std::chrono::milliseconds{0}};
  PluginSet set{config, services, {}};
  std::vector<std::string> sentences;
  for (auto& refusal : set.judge())
    sentences.push_back(std::move(refusal.text));
  return sentences;
}

} // namespace switchyard::host
