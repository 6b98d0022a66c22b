#pragma once

#include <switchyard/plugin.h>

#include <host/config/config.hpp>
#include <host/plugin/handed_over.hpp>
#include <host/plugin/isolated_code.hpp>
#include <host/plugin/manifest.hpp>
#include <host/plugin/refusal.hpp>
#include <host/services/instance_services.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace switchyard::host {

class ControlThread;
class StagingDirectory;

/// How far one generation of a plugin has come.
enum class PluginState : std::uint8_t {
  Found,    ///< named in plugins.toml
  Staged,   ///< copied to the private directory
  Verified, ///< the copy is a plugin for this host, as far as can be told without running it
  Probed,   ///< a child process has loaded it and it has taken its configuration
  Loaded,
  Inited,
  Started,
  Serving,
  Warm,     ///< replaced, and ready to serve again
  Quiesced, ///< an exclusive one that has handed over, and could go on again
  Draining,
  Stopped,
  Unloaded, ///< its code has left the process, as proven
  Retained, ///< it has ended but its code must stay: why() says what holds it
  Failed,   ///< refused: why() says it
};

[[nodiscard]] std::string_view to_string(PluginState state) noexcept;

/// Where the file of `plugin` is: a bare name is looked for in host.plugin_dir and nowhere else.
[[nodiscard]] std::string source_of(const HostConfig& host, const PluginConfig& plugin);

/// What an instance needs around it; all of it outlives the instance.
struct PluginEnvironment {
  const Config& config;
  StagingDirectory& staging;
  ControlThread& control;
  Services& services;
  LoopServices loops;
  const Isolate& isolate; ///< empty: there is nothing to run a plugin in
};

/// Bytes of a plugin that have been taken before.
struct PluginCopy {
  std::string path;
  std::string signature; ///< that came with them; empty: none
};

/// What an instance is made from.
struct PluginOrigin {
  PluginConfig config;
  std::uint32_t generation = 1; ///< the lowest it can have
  bool on_command = false;      ///< `library` was named on the command line, not in plugins.toml
  bool successor = false;       ///< another generation serves: what it registers is kept aside
  std::optional<PluginCopy> copy{}; ///< taken in the place of the file that `library` names
};

/// One generation of one plugin, from its file to the proof that it has gone. A step that fails
/// leaves it Failed (and everything it had begun ended or retained) and never disturbs another
/// plugin. The caller's one thread, except where it says any thread; the plugin's [control]
/// functions run on the control thread, each with limits.control_timeout.
class Instance {
public:
  Instance(const PluginEnvironment& environment, PluginOrigin origin);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  /// Found → Verified: copies the file and reads its manifest. Runs none of its code.
  OrRefusal<void> verify();

  /// Verified → Probed: tries it in a child process with its configuration.
  OrRefusal<void> probe();

  /// Probed → Probed: its init and start in a process that is ended again, so that what crashes
  /// there does not crash here. Nothing for one that requires interfaces, for another process has
  /// none of them, and for an exclusive one, which only one process may have.
  OrRefusal<void> rehearse();

  /// Probed → Serving: stand_by(), activate() and publish().
  OrRefusal<void> launch();

  /// Probed → Started: load, init, start. It does no work of its own yet.
  OrRefusal<void> stand_by();

  /// Lets a Started one begin its work, takes the tables of its interfaces, and binds what others
  /// have registered with them, besides the generation that has it now.
  OrRefusal<void> activate();

  /// Serving, or Started and active → Quiesced: it lets go of what it holds and writes down what
  /// the next one goes on from, in the format `version`. On failure it goes on as before; after
  /// CallHung nothing is left but give_up(). For an exclusive plugin.
  OrRefusal<std::shared_ptr<const HandedOver>> quiesce(std::uint32_t version);

  /// In the place of activate(), for a Started one, which then can publish().
  OrRefusal<void> take_over(const std::shared_ptr<const HandedOver>& state);

  /// Quiesced (perhaps published since) → Warm: goes on from `state`, or from what it finds (null).
  /// On failure it is left as it is, for fail().
  OrRefusal<void> go_on(const std::shared_ptr<const HandedOver>& state);

  /// What activate() could not bind, a clause each.
  [[nodiscard]] const std::vector<std::string>& unbound() const noexcept;

  /// Exchanges what it has registered with others for what `before` has, in one step of each of
  /// them; null: for nothing. On failure nothing has changed.
  OrRefusal<void> take_registrations(const Instance* before);

  /// How many calls of others run through what it has registered with them. Any thread.
  [[nodiscard]] std::size_t calls() const;

  /// Tells these calls that their end is wanted soon: those that can last, or all of them.
  void end_calls_soon(bool all);

  /// Started or Warm → Serving: from now on leases on its interfaces lead to it. On failure some
  /// may do so already: publish the generation before again, or fail() this one.
  OrRefusal<void> publish();

  /// Serving → Warm: another generation has published. A Quiesced one stays that.
  void stand_aside() noexcept;

  /// Marks it refused for a reason that lies outside of it, and ends what has begun.
  void fail(Refusal refusal);

  /// Leaves its code in memory for good, and whatever that holds; nobody calls it any more.
  void give_up(const std::string& reason);

  /// Serving or Warm → Draining. From now on connection_opened() of its services says no. `done` is
  /// called once, on any thread, perhaps from inside; for one that drains already, too. `deadline`
  /// as sy_loops.now().
  void drain(std::uint64_t deadline, std::function<void()> done);

  /// Closes every connection now; for a plugin that did not drain in time.
  void abort_all();

  /// The same, and says so: it has had `limit` to drain.
  void cut_short(std::chrono::milliseconds limit);

  /// What had to be done for it while it ended, as a clause: "did not drain within 2 s and was
  /// cut"; empty when it went by itself.
  [[nodiscard]] const std::string& forced() const noexcept;

  /// → Stopped → Unloaded or Retained: takes its interfaces and registrations back, stop, destroy,
  /// unload. Its connections have ended (drain or abort_all came first). One that has not started
  /// is dropped as far as it came.
  void stop();

  /// The plugin's own judgement, from Started on; its sentence when it is not well. After CallHung
  /// nothing is left but give_up().
  [[nodiscard]] OrRefusal<void> health();

  [[nodiscard]] PluginState state() const noexcept;
  [[nodiscard]] const std::string& why() const noexcept; ///< of Failed and Retained, else empty
  [[nodiscard]] bool code_stays() const noexcept; ///< for good: it is Retained, or Failed that way
  [[nodiscard]] const PluginOrigin& origin() const noexcept;
  [[nodiscard]] const std::string& name() const noexcept;    ///< in plugins.toml
  [[nodiscard]] const std::string& library() const noexcept; ///< path of the source file
  [[nodiscard]] std::string staged() const;    ///< path of the copy while there is one
  [[nodiscard]] std::string sha256() const;    ///< of the copy, in hex
  [[nodiscard]] std::string signature() const; ///< that came beside the source; empty: none
  [[nodiscard]] std::uint32_t generation() const noexcept; ///< from 1; 0 before staging
  [[nodiscard]] const Manifest* manifest() const noexcept; ///< null before Verified

  /// How its process is; nothing when it has none: `isolation` does not ask for it, or it has not
  /// been loaded or has ended.
  [[nodiscard]] std::optional<IsolatedStanding> isolated() const;

  /// What a loop calls, with a place from services().connection_opened(). Any thread, from the end
  /// of launch() until stop() begins; no loop may be in here any more then.
  [[nodiscard]] const sy_plugin& api() const noexcept;
  [[nodiscard]] sy_instance* handle() const noexcept;
  [[nodiscard]] InstanceServices& services() const noexcept;

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace switchyard::host
