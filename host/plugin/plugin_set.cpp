#include <host/plugin/control_thread.hpp>
#include <host/plugin/order.hpp>
#include <host/plugin/plugin_set.hpp>
#include <host/plugin/staging.hpp>

#include <boost/assert.hpp>

#include <algorithm>
#include <atomic>
#include <optional>

namespace switchyard::host {

struct PluginSet::State {
  State(const Config& all, Services& shared, const LoopServices& of_loops, Isolate in_process)
      : config{all}, services{shared}, loops{of_loops}, isolate{std::move(in_process)} {}

  const Config& config;
  Services& services;
  LoopServices loops;
  const Isolate isolate;

  std::optional<StagingDirectory> staging;
  ControlThread control;
  std::vector<std::unique_ptr<Generations>> plugins;
  std::vector<std::unique_ptr<Generations>> joining; ///< of a configuration to come
  std::vector<std::unique_ptr<Generations>> parting; ///< of one that was
  std::vector<std::size_t> order;                    ///< in which they start
  std::shared_ptr<const Dispatch> dispatch = std::make_shared<const Dispatch>();
  std::vector<Refusal> refusals;

  [[nodiscard]] Instance& serving(std::size_t plugin) const { return plugins[plugin]->serving(); }

  [[nodiscard]] bool failed(std::size_t plugin) const {
    return serving(plugin).state() == PluginState::Failed;
  }

  void refused(std::size_t plugin, const Refusal& refusal) {
    if (!failed(plugin)) serving(plugin).fail(refusal);
    refusals.push_back(refusal);
  }

  [[nodiscard]] std::vector<const Manifest*> manifests() const {
    std::vector<const Manifest*> all;
    for (const auto& plugin : plugins)
      all.push_back(plugin->serving().manifest());
    return all;
  }

  /// The manifests of those that serve; null for the others.
  [[nodiscard]] std::vector<const Manifest*> manifests_in_use() const {
    std::vector<const Manifest*> all;
    for (const auto& plugin : plugins) {
      const auto& instance = plugin->serving();
      const auto in_use = instance.state() == PluginState::Serving ||
                          instance.state() == PluginState::Quiesced; // about to be followed
      all.push_back(in_use ? instance.manifest() : nullptr);
    }
    return all;
  }

  [[nodiscard]] PluginEnvironment environment() {
    return {config, *staging, control, services, loops, isolate};
  }

  void stage_at(OrRefusal<StagingDirectory> directory) {
    if (directory) {
      staging.emplace(*std::move(directory));
    } else {
      refusals.push_back(directory.error());
    }
  }

  /// Everything that can be judged without running a plugin in this process.
  void prepare() {
    if (!staging) return;
    for (const auto& plugin : config.plugins) {
      plugins.push_back(std::make_unique<Generations>(environment(), plugin));
      auto& instance = plugins.back()->serving();
      auto judged = instance.verify();
      if (judged) judged = instance.probe();
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
    for (const auto& required : serving(plugin).manifest()->requires_) {
      if (required.optional) continue;
      for (std::size_t at = 0; at < plugins.size(); ++at) {
        const auto* manifest = serving(at).manifest();
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
      } else if (const auto launched = serving(plugin).launch(); !launched) {
        refusals.push_back(launched.error());
        if (config.host.on_plugin_failure == OnPluginFailure::Exit) return;
      }
    }
    reroute();
  }

  void reroute() {
    const auto in_use = manifests_in_use();
    auto fresh = std::make_shared<Dispatch>();
    fresh->routes = make_routes(config, in_use).table;
    for (const auto& plugin : plugins)
      fresh->plugins.push_back(&plugin->serving());
    dispatch = std::move(fresh);
    order = start_order(config, in_use, std::vector<bool>(in_use.size())).start;
  }

  void each(const std::function<void(Instance& generation)>& visit) const {
    std::vector<bool> ordered(plugins.size());
    const auto visit_all = [&](std::size_t plugin) {
      ordered[plugin] = true;
      plugins[plugin]->each(visit);
    };
    std::for_each(order.rbegin(), order.rend(), visit_all);
    for (std::size_t at = 0; at < plugins.size(); ++at) {
      if (!ordered[at]) visit_all(at);
    }
    for (const auto* others : {&joining, &parting}) {
      for (const auto& plugin : *others)
        plugin->each(visit);
    }
  }

  void stop() {
    each([](Instance& generation) { generation.stop(); });
  }
};

/// What is wrong in `after` and was not in `before`.
template <class Problem>
const Problem* added(const std::vector<Problem>& before, const std::vector<Problem>& after) {
  for (const auto& problem : after) {
    const auto known =
        std::ranges::any_of(before, [&](const auto& p) { return p.refusal == problem.refusal; });
    if (!known) return &problem;
  }
  return nullptr;
}

bool uses(const Manifest& consumer, const Manifest& provider) {
  return std::ranges::any_of(consumer.requires_, [&](const auto& required) {
    return std::ranges::find(
               provider.provides, required.interface, &ProvidedInterface::interface) !=
           provider.provides.end();
  });
}

PluginSet::PluginSet(
    const Config& config, Services& services, const LoopServices& loops, Isolate isolate)
    : state_{std::make_unique<State>(config, services, loops, std::move(isolate))} {}

PluginSet::~PluginSet() {
  stop();
}

std::vector<Refusal> PluginSet::start() {
  auto& s = *state_;
  s.stage_at(StagingDirectory::open(s.config.host.data_dir));
  s.prepare();
  const auto exits = s.config.host.on_plugin_failure == OnPluginFailure::Exit;
  if (!s.staging || (exits && !s.refusals.empty())) return s.refusals;
  s.launch();
  if (exits && !s.refusals.empty()) s.stop();
  return s.refusals;
}

std::vector<Refusal> PluginSet::judge() {
  auto& s = *state_;
  if (const auto judged = StagingDirectory::judge(s.config.host.data_dir); !judged)
    return {judged.error()};
  s.stage_at(StagingDirectory::temporary());
  s.prepare();
  return s.refusals;
}

const std::shared_ptr<const Dispatch>& PluginSet::dispatch() const noexcept {
  return state_->dispatch;
}

const std::vector<std::unique_ptr<Generations>>& PluginSet::plugins() const noexcept {
  return state_->plugins;
}

Generations* PluginSet::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(
      state_->plugins, name, [](const auto& plugin) -> std::string_view { return plugin->name(); });
  return found == state_->plugins.end() ? nullptr : found->get();
}

OrRefusal<void> PluginSet::fits(const Generations& plugin) const {
  const auto& s = *state_;
  const auto before = s.manifests_in_use();
  auto after = before;
  for (std::size_t at = 0; at < after.size(); ++at) {
    if (s.plugins[at].get() == &plugin) after[at] = plugin.candidate()->manifest();
  }
  const auto routes = make_routes(s.config, before).problems;
  const auto next_routes = make_routes(s.config, after).problems;
  if (const auto* problem = added(routes, next_routes)) return problem->refusal;
  const std::vector<bool> none(before.size());
  const auto order = start_order(s.config, before, none).problems;
  const auto next_order = start_order(s.config, after, none).problems;
  if (const auto* problem = added(order, next_order)) return problem->refusal;
  return {};
}

OrRefusal<PluginSet::Succession> PluginSet::fits(const Config& next) const {
  const auto& s = *state_;
  std::vector<Generations*> plugins;
  std::vector<const Manifest*> manifests;
  std::vector<bool> out;
  for (const auto& wanted : next.plugins) {
    auto* plugin = find(wanted.name);
    for (const auto& joined : s.joining) {
      if (joined->name() == wanted.name) plugin = joined.get();
    }
    BOOST_ASSERT(plugin != nullptr);
    const auto& judged = plugin->candidate() != nullptr ? *plugin->candidate() : plugin->serving();
    out.push_back(judged.state() == PluginState::Failed);
    plugins.push_back(plugin);
    manifests.push_back(out.back() ? nullptr : judged.manifest());
  }

  Succession succession;
  auto routing = make_routes(next, manifests);
  for (const auto& problem : routing.problems) {
    if (problem.plugin) return problem.refusal;
  }
  succession.routes = std::move(routing.table);
  // A listener whose plugin was refused at the start is not the fault of what comes now.
  auto problem = routing.problems.begin();
  for (const auto& listener : next.listeners) {
    if (listener.protocol.empty() || succession.routes.by_protocol(listener.protocol) != nullptr)
      continue;
    const auto before = std::ranges::find(s.config.listeners, listener.name, &ListenerConfig::name);
    const auto& refusal = (problem++)->refusal;
    if (before == s.config.listeners.end() || before->protocol != listener.protocol ||
        s.dispatch->routes.by_protocol(listener.protocol) != nullptr)
      return refusal;
  }
  const auto planned = start_order(next, manifests, out);
  if (!planned.problems.empty()) return planned.problems.front().refusal;
  for (const auto at : planned.start)
    succession.order.push_back(plugins[at]);
  return succession;
}

Generations& PluginSet::join(const PluginConfig& plugin) {
  auto& s = *state_;
  return *s.joining.emplace_back(std::make_unique<Generations>(s.environment(), plugin));
}

void PluginSet::part(const Generations& joined) {
  auto& joining = state_->joining;
  const auto found = std::ranges::find(joining, &joined, [](const auto& one) { return one.get(); });
  BOOST_ASSERT(found != joining.end());
  (*found)->serving().stop();
  if ((*found)->retained() != 0) state_->parting.push_back(std::move(*found));
  joining.erase(found);
}

void PluginSet::follow() {
  auto& s = *state_;
  std::vector<std::unique_ptr<Generations>> next;
  for (const auto& wanted : s.config.plugins) {
    for (auto* from : {&s.plugins, &s.joining}) {
      const auto found = std::ranges::find_if(
          *from, [&](const auto& plugin) { return plugin && plugin->name() == wanted.name; });
      if (found == from->end()) continue;
      next.push_back(std::move(*found));
      next.back()->configure(wanted);
      break;
    }
  }
  BOOST_ASSERT(next.size() == s.config.plugins.size());
  for (auto& plugin : s.plugins) {
    if (plugin) s.parting.push_back(std::move(plugin));
  }
  s.plugins = std::move(next);
  s.joining.clear();
  reroute();
}

const std::vector<std::unique_ptr<Generations>>& PluginSet::parting() const noexcept {
  return state_->parting;
}

void PluginSet::sweep() {
  std::erase_if(state_->parting, [](const auto& plugin) {
    bool gone = true;
    plugin->each([&](const Instance& generation) {
      using enum PluginState;
      const auto state = generation.state();
      gone &= !generation.code_stays() && (state == Unloaded || state == Failed);
    });
    return gone;
  });
}

void PluginSet::reroute() {
  state_->reroute();
}

std::vector<const Generations*> PluginSet::related(const Generations& plugin) const {
  std::vector<const Generations*> found{&plugin};
  for (std::size_t at = 0; at < found.size(); ++at) {
    const auto* one = found[at]->serving().manifest();
    for (const auto& other : state_->plugins) {
      const auto* manifest = other->serving().manifest();
      if (one == nullptr || manifest == nullptr) continue;
      if (std::ranges::find(found, other.get()) != found.end()) continue;
      if (uses(*one, *manifest) || uses(*manifest, *one)) found.push_back(other.get());
    }
  }
  found.erase(found.begin());
  return found;
}

void PluginSet::drain(std::uint64_t deadline, std::function<void()> done) {
  struct Draining {
    explicit Draining(std::function<void()> told) : done{std::move(told)} {}

    std::atomic<std::size_t> left{1}; ///< the one that stands for this function
    std::function<void()> done;

    void one_less() {
      if (left.fetch_sub(1) == 1) done();
    }
  };

  const auto draining = std::make_shared<Draining>(std::move(done));
  state_->each([&](Instance& generation) {
    ++draining->left;
    generation.drain(deadline, [draining] { draining->one_less(); });
  });
  draining->one_less();
}

void PluginSet::abort_all() {
  state_->each([](Instance& generation) { generation.abort_all(); });
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
