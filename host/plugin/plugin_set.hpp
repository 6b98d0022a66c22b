#pragma once

#include <host/plugin/dispatch.hpp>
#include <host/plugin/generations.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace switchyard::host {

/// All plugins of one configuration: brought up in the order of what they require of each other,
/// ended in the reverse one. The caller's one thread.
class PluginSet {
public:
  /// `config` and `services` outlive the set. Without `isolate` no plugin with
  /// Isolation::Process is started, only judged.
  PluginSet(
      const Config& config, Services& services, const LoopServices& loops, Isolate isolate = {});

  /// Ends what is left, as abort_all() and stop() do.
  ~PluginSet();
  PluginSet(const PluginSet&) = delete;
  PluginSet& operator=(const PluginSet&) = delete;

  /// Brings all of them to Serving. Returns every refusal, each a whole sentence. With
  /// on_plugin_failure = "exit" one refusal means that nothing serves; with "continue" the plugins
  /// without one do, except those that require a refused one. A wrong data_dir is always fatal.
  [[nodiscard]] std::vector<Refusal> start();

  /// What start() does before it runs any plugin in this process; returns the refusals. Instead of
  /// it.
  [[nodiscard]] std::vector<Refusal> judge();

  /// What the loops look up. Route::plugin is the position in plugins().
  [[nodiscard]] const std::shared_ptr<const Dispatch>& dispatch() const noexcept;

  /// Parallel to Config::plugins.
  [[nodiscard]] const std::vector<std::unique_ptr<Generations>>& plugins() const noexcept;

  /// Null when no plugin has that name.
  [[nodiscard]] Generations* find(std::string_view name) const noexcept;

  /// Whether the candidate of `plugin`, whose manifest is known, can take the place of the one that
  /// serves: its routes, and what others require of it.
  [[nodiscard]] OrRefusal<void> fits(const Generations& plugin) const;

  /// What would be with another configuration, whose manifests are known.
  struct Succession {
    RouteTable routes;
    std::vector<Generations*> order; ///< of its plugins, in which they start
  };

  /// Whether the plugins of `next` get along: for each its candidate, or else the one that serves,
  /// or one of join().
  [[nodiscard]] OrRefusal<Succession> fits(const Config& next) const;

  /// A plugin that the configuration does not have yet. It is not among plugins() before follow().
  Generations& join(const PluginConfig& plugin);

  /// Ends a plugin that has joined.
  void part(const Generations& joined);

  /// The configuration, which the set refers to, has changed: plugins() become parallel to its
  /// plugins again, those that have joined among them. Those that are no more are parting().
  void follow();

  /// Plugins that a configuration had and that have not gone yet.
  [[nodiscard]] const std::vector<std::unique_ptr<Generations>>& parting() const noexcept;

  /// Forgets those of parting() that have gone.
  void sweep();

  /// Makes dispatch() anew of the generations that serve now, and the order in which they end.
  void reroute();

  /// The plugins that use each other's interfaces with `plugin`, at first or second hand.
  [[nodiscard]] std::vector<const Generations*> related(const Generations& plugin) const;

  /// Asks every generation that serves or can to drain. `done` is called once, on any thread, when
  /// all have. `deadline` as sy_loops.now().
  void drain(std::uint64_t deadline, std::function<void()> done);

  /// Closes the connections of every generation that has not drained.
  void abort_all();

  /// Ends all of them, consumers before providers. Blocks; each call has its limit.
  void stop();

private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Everything that is wrong with the plugins of `config`, found without starting one: stages,
/// verifies and probes each, and checks routes, listeners and requirements. Empty when serve would
/// take them. Leaves data_dir as it is.
[[nodiscard]] std::vector<std::string> check_plugins(const Config& config);

} // namespace switchyard::host
