#include <host/crash/crash_box.hpp>
#include <host/plugin/control_call.hpp>
#include <host/plugin/descriptor.hpp>
#include <host/plugin/instance.hpp>
#include <host/plugin/library.hpp>
#include <host/plugin/probe.hpp>
#include <host/plugin/rehearsal.hpp>
#include <host/plugin/staging.hpp>
#include <host/plugin/trust.hpp>
#include <host/plugin/verify.hpp>

#include <boost/assert.hpp>

#include <array>
#include <atomic>
#include <fcntl.h>
#include <mutex>
#include <optional>
#include <unistd.h>
#include <utility>
#include <vector>

namespace switchyard::host {
namespace {

using enum RefusalCode;

std::vector<std::string> required_ids(const Manifest& manifest) {
  std::vector<std::string> ids;
  for (const auto& required : manifest.requires_)
    ids.push_back(required.interface);
  return ids;
}

/// The host hears this much later at most that a connection has ended which it handed out as a
/// descriptor.
constexpr std::chrono::milliseconds kHearsayMargin{50};

/// Passes the end of a drain on, once to each who waits for it, whoever comes first and however
/// late.
class DrainEnd {
public:
  void tell(std::function<void()> done) {
    {
      const std::lock_guard lock{mutex_};
      if (!reached_) {
        waiting_.push_back(std::move(done));
        return;
      }
    }
    done();
  }

  void reach() {
    std::vector<std::function<void()>> told;
    {
      const std::lock_guard lock{mutex_};
      reached_ = true;
      told.swap(waiting_);
    }
    for (const auto& done : told)
      done();
  }

private:
  std::mutex mutex_;
  bool reached_ = false;
  std::vector<std::function<void()>> waiting_;
};

/// An interface that an instance gives, as query() gave it.
struct GivenInterface {
  std::string id;
  const void* table;
};

/// What quiesce() writes to. A call that is given up may go on writing.
struct StateSink {
  explicit StateSink(std::uint32_t version)
      : table{
            .struct_size = sizeof(sy_state_sink),
            .version = version,
            .host_data = this,
            .write =
                [](const sy_state_sink* sink, sy_bytes bytes) noexcept {
                  auto& data = of(sink).data;
                  if (bytes.size > kStateSizeMax - data.size()) return sy_status{SY_LIMIT};
                  data.append(static_cast<const char*>(bytes.data), bytes.size);
                  return sy_status{SY_OK};
                },
            .descriptor =
                [](const sy_state_sink* sink, int descriptor) noexcept {
                  auto& all = of(sink).descriptors;
                  if (all.size() == kStateDescriptorsMax) return sy_status{SY_LIMIT};
                  FileDescriptor own{::fcntl(descriptor, F_DUPFD_CLOEXEC, 0)};
                  if (!own.open()) return sy_status{SY_INVALID};
                  all.push_back(std::move(own));
                  return sy_status{SY_OK};
                }},
        handed{.version = version, .data = {}, .descriptors = {}} {}

  static HandedOver& of(const sy_state_sink* sink) {
    return static_cast<StateSink*>(sink->host_data)->handed;
  }

  const sy_state_sink table;
  HandedOver handed;
};

/// What code that stays in memory may reach until the process ends.
struct Remains {
  std::unique_ptr<InstanceServices> services;
  std::unique_ptr<IsolatedCode> isolated;
  std::shared_ptr<DrainEnd> drain_end;
  sy_instance* instance;
};

void keep_for_ever(Remains remains) {
  static auto& mutex = *new std::mutex;
  static auto& all = *new std::vector<Remains>;
  const std::lock_guard lock{mutex};
  all.push_back(std::move(remains));
}

} // namespace

std::string source_of(const HostConfig& host, const PluginConfig& plugin) {
  const auto& library = plugin.swapped.empty() ? plugin.library : plugin.swapped;
  if (library.find('/') != std::string::npos) return library;
  return host.plugin_dir + (host.plugin_dir.ends_with('/') ? "" : "/") + library;
}

std::string_view to_string(PluginState state) noexcept {
  constexpr std::array<std::string_view, 15> kNames{
      "found",
      "staged",
      "verified",
      "probed",
      "loaded",
      "inited",
      "started",
      "serving",
      "warm",
      "quiesced",
      "draining",
      "stopped",
      "unloaded",
      "retained",
      "failed"};
  return kNames[static_cast<std::size_t>(state)];
}

struct Instance::State {
  State(const PluginEnvironment& environment, PluginOrigin from)
      : around{environment}, origin{std::move(from)}, path{source_of(around.config.host, config)} {}

  PluginEnvironment around;
  const PluginOrigin origin;
  const PluginConfig& config = origin.config;
  std::string path;
  PluginState state = PluginState::Found;
  std::string why;
  std::string forced;

  std::optional<StagedFile> file;
  std::uint32_t generation = 0;
  std::optional<VerifiedPlugin> verified;
  Library library;
  std::optional<LoadedCode> code;
  std::unique_ptr<IsolatedCode> isolated; ///< in the place of library and code
  const sy_plugin* api = nullptr;
  std::unique_ptr<InstanceServices> services;
  sy_instance* handle = nullptr;
  std::vector<GivenInterface> given;
  std::vector<std::string> unbound;
  std::shared_ptr<DrainEnd> drain_end;
  bool retained = false;

  ~State() {
    if (!retained) return;
    keep_for_ever({std::move(services), std::move(isolated), std::move(drain_end), handle});
  }

  [[nodiscard]] std::chrono::milliseconds limit() const {
    return around.config.limits.control_timeout;
  }

  [[nodiscard]] std::string place() const {
    return around.config.file + ':' + std::to_string(config.place.line);
  }

  [[nodiscard]] std::string config_text() const {
    return config.config.empty() ? "{}" : config.config;
  }

  void log(sy_log_level level, std::string_view line) const {
    const auto& log = around.services.log;
    if (log.enabled(level)) log.write(config.name, level, line);
  }

  OrRefusal<void> call(std::string_view function, std::function<sy_status(sy_error* error)> body) {
    const auto until = isolated ? limit() + kStandInMargin : limit();
    return control_call(around.control, until, config.name, function, std::move(body));
  }

  Refusal failed(Refusal refusal) {
    state = PluginState::Failed;
    why = refusal.text;
    return refusal;
  }

  /// Its code stays in memory, with whatever that may still reach; nobody calls it any more. A
  /// failure stays a failure.
  void retain(const std::string& reason) {
    retained = true;
    if (services) cut_off();
    library.retain();
    if (code) code->stay();
    if (file) file->keep();
    if (state == PluginState::Failed) return;
    state = PluginState::Retained;
    why = "plugin " + config.name + ": its code stays in memory: " + reason;
    log(SY_LOG_WARN, "retained reason=\"" + reason + '"');
  }

  void cut_off() {
    services->draining = true;
    services->phase = ServicePhase::Stopped;
    for (const auto& [id, table] : given) {
      static_cast<void>(around.services.interfaces.revoke(id, handle, Interfaces::Clock::now()));
      around.services.journal.abandon(id, handle);
    }
    given.clear();
    static_cast<void>(remove_registrations({}));
  }

  /// Ends what launch() has begun, after `refusal`. Failed at last.
  Refusal abandon(Refusal refusal) {
    const auto hung = refusal.code == CallHung;
    failed(refusal);
    if (hung) {
      retain("a call hangs");
    } else {
      end();
    }
    return refusal;
  }

  /// What a process of its own keeps it from.
  [[nodiscard]] std::optional<Refusal> not_isolated(const Manifest& manifest) const {
    if (config.isolation == Isolation::None) return std::nullopt;
    const auto line = config.isolation_place.line;
    const auto at = around.config.file + ':' + std::to_string(line);
    if (!manifest.requires_.empty())
      return refuse(IsolatedRequires, config.name, {manifest.requires_[0].interface, at});
    if (!manifest.provides.empty())
      return refuse(IsolatedProvides, config.name, {manifest.provides[0].interface, at});
    if (manifest.exclusive) return refuse(IsolatedExclusive, config.name, {at});
    return std::nullopt;
  }

  void isolate() {
    BOOST_ASSERT(around.isolate);
    isolated = around.isolate(elsewhere());
    api = &isolated->api();
    state = PluginState::Loaded;
  }

  OrRefusal<void> load() {
    struct Loading {
      OrRefusal<Library> library;
    };

    const auto loading = std::make_shared<Loading>(Loading{Library{}});
    auto loaded = call(
        "dlopen()",
        [loading,
         plugin = config.name,
         path = path,
         staged = file->path(),
         platform = verified->platform](sy_error*) -> sy_status {
          loading->library = Library::open(plugin, path, staged, platform);
          return SY_OK;
        });
    if (!loaded) return loaded;
    if (!loading->library) return loading->library.error();
    library = *std::move(loading->library);
    api = &library.descriptor();
    const auto range = library.code();
    code.emplace(range.data(), range.size(), config.name, generation, file->sha256());
    state = PluginState::Loaded;
    return check_descriptor(config.name, path, *api, *verified);
  }

  OrRefusal<void> init() {
    services = std::make_unique<InstanceServices>(
        around.services, around.loops, config.name, required_ids(verified->manifest));
    if (origin.successor) around.services.journal.keep_aside(services.get());
    const auto made = std::make_shared<sy_instance*>(isolated ? isolated->handle() : nullptr);
    auto inited = call(
        "init()", [made, api = api, host = &services->host, text = config_text()](sy_error* error) {
          return api->init(host, {text.data(), text.size()}, made.get(), error);
        });
    if (!inited) return inited;
    if (*made == nullptr)
      return refuse(CallFailed, config.name, {"init()", "it gives no instance"});
    handle = *made;
    services->phase = ServicePhase::Running;
    state = PluginState::Inited;
    return {};
  }

  OrRefusal<void> start() {
    auto started = call(
        "start()", [api = api, of = handle](sy_error* error) { return api->start(of, error); });
    if (started) state = PluginState::Started;
    return started;
  }

  /// Takes the table of an interface and binds what is registered with it.
  OrRefusal<void> give(const ProvidedInterface& provided) {
    struct Giving {
      const void* table = nullptr;
      std::vector<std::string> refused;
    };

    const auto giving = std::make_shared<Giving>();
    auto queried = call(
        "query()",
        [giving, provided, api = api, of = handle, journal = &around.services.journal](
            sy_error*) -> sy_status {
          giving->table = api->query(of, provided.interface.c_str());
          if (giving->table == nullptr || !provided.registrar) return SY_OK;
          const auto* registrar = static_cast<const sy_registrar*>(giving->table);
          giving->refused = journal->attach(provided.interface, registrar, of);
          return SY_OK;
        });
    if (!queried) return queried;
    if (giving->table == nullptr) {
      return refuse(InterfaceMissing, config.name, {provided.interface});
    }
    given.push_back({provided.interface, giving->table});
    for (const auto& clause : giving->refused) {
      unbound.push_back(provided.interface + ' ' + clause);
      log(SY_LOG_ERROR, "registration refused interface=" + unbound.back());
    }
    return {};
  }

  /// What runs in a process of its own: there, and in a trial of it.
  [[nodiscard]] IsolatedPlugin elsewhere() const {
    return {config.name, path, file->path(), generation, *verified};
  }

  OrRefusal<void> rehearse() {
    const auto& manifest = verified->manifest;
    if (!around.isolate || config.isolation == Isolation::Process) return {};
    if (!manifest.requires_.empty() || manifest.exclusive) return {};
    return host::rehearse(around, elsewhere(), config_text());
  }

  OrRefusal<void> stand_by() {
    if (config.isolation == Isolation::Process) {
      isolate();
    } else if (auto loaded = load(); !loaded) {
      return loaded;
    }
    if (auto inited = init(); !inited) return inited;
    return start();
  }

  OrRefusal<void> begin_work() {
    return call("activate()", [api = api, of = handle](sy_error* error) {
      return api->activate(of, error);
    });
  }

  OrRefusal<void> take_over(std::shared_ptr<const HandedOver> handed) {
    return call(
        "take_over()", [api = api, of = handle, handed = std::move(handed)](sy_error* error) {
          std::vector<int> numbers;
          for (const auto& descriptor : handed->descriptors)
            numbers.push_back(descriptor.get());
          const sy_state given_state{
              .struct_size = sizeof(sy_state),
              .version = handed->version,
              .data = {handed->data.data(), handed->data.size()},
              .descriptors = numbers.data(),
              .descriptor_count = numbers.size()};
          return api->take_over(of, &given_state, error);
        });
  }

  OrRefusal<std::shared_ptr<const HandedOver>> quiesce(std::uint32_t version) {
    const auto sink = std::make_shared<StateSink>(version);
    auto quiet = call("quiesce()", [api = api, of = handle, sink](sy_error* error) {
      return api->quiesce(of, &sink->table, error);
    });
    if (!quiet) return quiet.error();
    state = PluginState::Quiesced;
    return std::shared_ptr<const HandedOver>{sink, &sink->handed};
  }

  OrRefusal<void> activate() {
    if (auto begun = begin_work(); !begun) return begun;
    return give_all();
  }

  OrRefusal<void> give_all() {
    for (const auto& provided : verified->manifest.provides) {
      if (auto done = give(provided); !done) return done;
    }
    return {};
  }

  OrRefusal<void> take_registrations(const InstanceServices* before) {
    const auto clause = std::make_shared<std::optional<std::string>>();
    const auto exchanged = call(
        "exchange()",
        [clause, before, after = services.get(), journal = &around.services.journal](
            sy_error*) -> sy_status {
          *clause = journal->exchange(before, after);
          return SY_OK;
        });
    if (!exchanged) return exchanged;
    if (*clause) return refuse(NotExchanged, config.name, {**clause});
    return {};
  }

  void end_calls_soon(bool all) {
    const auto told = call(
        "end_soon()",
        [all, owner = services.get(), journal = &around.services.journal](sy_error*) -> sy_status {
          journal->end_soon(owner, all);
          return SY_OK;
        });
    if (!told) log(SY_LOG_ERROR, told.error().text);
  }

  OrRefusal<void> publish() {
    const auto deadline = Interfaces::Clock::now() + limit();
    for (const auto& [id, table] : given) {
      const auto users = around.services.interfaces.publish(id, table, handle, deadline);
      if (!users.empty()) return refuse(LeaseHeld, config.name, {id, users.front()});
    }
    const auto again = std::exchange(state, PluginState::Serving) == PluginState::Warm;
    log(SY_LOG_INFO,
        (again ? "serving again id=" : "serving id=") + verified->manifest.id +
            " version=" + verified->manifest.version + " generation=" + std::to_string(generation) +
            " sha256=" + file->sha256());
    return {};
  }

  OrRefusal<void> launch() {
    if (auto stands = stand_by(); !stands) return stands;
    if (auto active = activate(); !active) return active;
    return publish();
  }

  /// Takes back what others could reach it by, and what it has registered with them. A clause when
  /// that did not end in time.
  std::optional<std::string> withdraw() {
    const auto deadline = Interfaces::Clock::now() + limit();
    for (const auto& [id, table] : given) {
      const auto users = around.services.interfaces.revoke(id, handle, deadline);
      if (!users.empty()) return "plugin " + users.front() + " does not let go of " + id;
    }
    return remove_registrations(std::exchange(given, {}));
  }

  /// Unbinds what others have registered with `ended`, and removes what it has registered itself.
  std::optional<std::string> remove_registrations(std::vector<GivenInterface> ended) {
    const auto calls = std::make_shared<std::vector<std::string>>();
    const auto removed = call(
        "unbind()",
        [calls,
         ended = std::move(ended),
         provider = handle,
         owner = services.get(),
         journal = &around.services.journal](sy_error*) -> sy_status {
          for (const auto& [id, table] : ended)
            journal->detach(id, provider);
          *calls = journal->remove_all(owner);
          return SY_OK;
        });
    if (!removed) return removed.error().text;
    if (!calls->empty()) return "a call to \"" + calls->front() + "\" does not end";
    return std::nullopt;
  }

  /// stop and destroy; a clause when the instance is not known to have ended.
  std::optional<std::string> end_instance() {
    if (handle == nullptr) return std::nullopt;
    const auto stopped =
        call("stop()", [api = api, of = handle](sy_error* error) { return api->stop(of, error); });
    if (!stopped) return stopped.error().text;
    services->phase = ServicePhase::Stopped;
    const auto destroyed = call("destroy()", [api = api, of = handle](sy_error*) -> sy_status {
      api->destroy(of);
      return SY_OK;
    });
    if (!destroyed) return destroyed.error().text;
    handle = nullptr;
    return std::nullopt;
  }

  /// From whatever launch() reached to Unloaded or Retained; Failed stays Failed.
  void end() {
    if (api == nullptr || retained) return;
    if (services) {
      services->draining = true;
      services->cancel_dials();
      if (services->connections != 0) abort_all();
      if (retained) return; // abort_all() hung
      if (const auto reason = withdraw()) return retain(*reason);
      if (!services->dials_ended(std::chrono::steady_clock::now() + limit())) {
        return retain("a dial does not end");
      }
      if (!loops_left()) return retain("a loop does not return from it");
      if (const auto reason = end_instance()) return retain(*reason);
      services->phase = ServicePhase::Stopped;
      close_connections();
      if (!loops_left()) return retain("a loop does not return from it");
      const auto left = services->leftovers(std::chrono::steady_clock::now() + limit());
      if (!left.empty()) return retain(left + " left");
    }
    if (state != PluginState::Failed) state = PluginState::Stopped;
    services.reset();
    api = nullptr;
    if (isolated) {
      isolated.reset();
    } else if (!unload()) {
      return;
    }
    code.reset();
    file.reset();
    if (state == PluginState::Failed) return;
    state = PluginState::Unloaded;
    log(SY_LOG_INFO, "unloaded generation=" + std::to_string(generation));
  }

  /// Who tells the end of the last connection may still be in the plugin.
  [[nodiscard]] bool loops_left() const {
    return services->loops_left(std::chrono::steady_clock::now() + limit());
  }

  /// Those that it has forgotten.
  void close_connections() {
    if (services->connections_ended(std::chrono::steady_clock::now() + kHearsayMargin)) return;
    const auto open = services->connections.load();
    services->close_connections();
    force(
        "left " + std::to_string(open) +
        (open == 1 ? " connection open, which was closed"
                   : " connections open, which were closed"));
  }

  void force(const std::string& what) {
    log(SY_LOG_WARN, "generation " + std::to_string(generation) + ' ' + what);
    forced += (forced.empty() ? "" : ", ") + what;
  }

  /// Whether its code has left the process; retained otherwise.
  bool unload() {
    // What plugins have made thread_local there ends with the thread. The loader keeps those whose
    // destructors have not returned.
    if (!around.control.renew(limit())) {
      log(SY_LOG_ERROR,
          "control thread left behind: what a plugin has made thread_local on it does not end "
          "limit=\"" +
              duration_text(limit()) + "\" threads=" + std::to_string(around.control.given_up()));
    }
    const auto gone = std::make_shared<bool>(false);
    const auto unloading = std::make_shared<Library>(std::move(library));
    const auto unloaded = call("dlclose()", [gone, unloading](sy_error*) -> sy_status {
      *gone = unloading->unload();
      return SY_OK;
    });
    library = Library{};
    if (!unloaded || !*gone) {
      if (unloaded) unloading->retain();
      retain(unloaded ? "the loader keeps it mapped" : unloaded.error().text);
      return false;
    }
    return true;
  }

  void abort_all() {
    const auto aborted = call("abort_all()", [api = api, of = handle](sy_error*) -> sy_status {
      api->abort_all(of);
      return SY_OK;
    });
    if (aborted) return;
    log(SY_LOG_ERROR, aborted.error().text);
    if (aborted.error().code == CallHung) retain(aborted.error().text);
  }
};

Instance::Instance(const PluginEnvironment& environment, PluginOrigin origin)
    : state_{std::make_unique<State>(environment, std::move(origin))} {}

Instance::~Instance() {
  stop();
}

OrRefusal<void> Instance::verify() {
  auto& s = *state_;
  BOOST_ASSERT(s.state == PluginState::Found);
  const auto& host = s.around.config.host;
  if (host.plugin_dir.empty() && s.config.swapped.empty() && s.path != s.config.library) {
    return s.failed(refuse(NoPluginDir, s.config.name, {s.config.library, s.around.config.file}));
  }
  PluginSource source{s.config.name, s.path, s.origin.on_command ? "the command line" : s.place()};
  if (const auto& copy = s.origin.copy) {
    source.path = copy->path;
    source.signature = copy->signature;
  }
  auto staged = s.around.staging.stage(source);
  if (!staged) return s.failed(staged.error());
  s.file.emplace(*std::move(staged));
  s.state = PluginState::Staged;

  const MappedFile copy{*s.file};
  const auto trusted = judge_trust(
      s.config.name,
      {s.path, copy.bytes(), s.file->sha256(), s.file->signature()},
      {s.config.sha256, s.place(), s.config.trusted_keys});
  auto verified = trusted ? verify_plugin(s.config.name, s.path, copy.bytes(), s.config.isolation)
                          : OrRefusal<VerifiedPlugin>{trusted.error()};
  if (verified) {
    if (auto refusal = s.not_isolated(verified->manifest)) verified = *std::move(refusal);
  }
  if (!verified) {
    s.file.reset();
    return s.failed(verified.error());
  }
  s.generation =
      s.file->name(verified->manifest.id, verified->manifest.version, s.origin.generation);
  if (s.generation == 0) {
    return s.failed(
        refuse(StagingFailed, s.config.name, {s.path, s.around.staging.path(), "no name is free"}));
  }
  s.verified = *std::move(verified);
  s.state = PluginState::Verified;
  return {};
}

OrRefusal<void> Instance::probe() {
  auto& s = *state_;
  BOOST_ASSERT(s.state == PluginState::Verified);
  const auto probed = probe_plugin(
      {.plugin = s.config.name,
       .path = s.path,
       .staged = s.file->path(),
       .manifest = s.verified->manifest_text,
       .platform = s.verified->platform,
       .config = s.config_text(),
       .config_place = s.place()},
      s.around.config.limits.probe_timeout);
  if (!probed) {
    s.file.reset();
    return s.failed(probed.error());
  }
  s.state = PluginState::Probed;
  return {};
}

OrRefusal<void> Instance::rehearse() {
  auto& s = *state_;
  BOOST_ASSERT(s.state == PluginState::Probed);
  if (auto done = s.rehearse(); !done) return s.abandon(done.error());
  return {};
}

OrRefusal<void> Instance::launch() {
  auto& s = *state_;
  BOOST_ASSERT(s.state == PluginState::Probed);
  const auto launched = s.launch();
  if (!launched) return s.abandon(launched.error());
  return {};
}

OrRefusal<void> Instance::stand_by() {
  auto& s = *state_;
  BOOST_ASSERT(s.state == PluginState::Probed);
  const auto stands = s.stand_by();
  if (!stands) return s.abandon(stands.error());
  return {};
}

OrRefusal<std::shared_ptr<const HandedOver>> Instance::quiesce(std::uint32_t version) {
  auto& s = *state_;
  BOOST_ASSERT(s.state == PluginState::Serving || s.state == PluginState::Started);
  return s.quiesce(version);
}

OrRefusal<void> Instance::take_over(const std::shared_ptr<const HandedOver>& state) {
  auto& s = *state_;
  BOOST_ASSERT(s.state == PluginState::Started);
  auto taken = s.take_over(state);
  if (taken) taken = s.give_all();
  if (!taken) return s.abandon(taken.error());
  return {};
}

OrRefusal<void> Instance::go_on(const std::shared_ptr<const HandedOver>& state) {
  auto& s = *state_;
  BOOST_ASSERT(s.state == PluginState::Quiesced || s.state == PluginState::Serving);
  auto goes_on = state ? s.take_over(state) : s.begin_work();
  if (goes_on) s.state = PluginState::Warm;
  return goes_on;
}

OrRefusal<void> Instance::activate() {
  auto& s = *state_;
  BOOST_ASSERT(s.state == PluginState::Started);
  const auto active = s.activate();
  if (!active) return s.abandon(active.error());
  return {};
}

const std::vector<std::string>& Instance::unbound() const noexcept {
  return state_->unbound;
}

OrRefusal<void> Instance::take_registrations(const Instance* before) {
  return state_->take_registrations(before == nullptr ? nullptr : before->state_->services.get());
}

std::size_t Instance::calls() const {
  const auto& s = *state_;
  return s.services ? s.around.services.journal.running(s.services.get()) : 0;
}

void Instance::end_calls_soon(bool all) {
  if (calls() != 0) state_->end_calls_soon(all);
}

OrRefusal<void> Instance::publish() {
  BOOST_ASSERT(
      state_->state == PluginState::Started || state_->state == PluginState::Warm ||
      state_->state == PluginState::Quiesced);
  return state_->publish();
}

void Instance::stand_aside() noexcept {
  BOOST_ASSERT(state_->state == PluginState::Serving || state_->state == PluginState::Quiesced);
  if (state_->state == PluginState::Serving) state_->state = PluginState::Warm;
}

void Instance::fail(Refusal refusal) {
  if (state_->api != nullptr) {
    state_->abandon(std::move(refusal));
  } else {
    state_->file.reset();
    state_->failed(std::move(refusal));
  }
}

void Instance::give_up(const std::string& reason) {
  state_->retain(reason);
}

void Instance::drain(std::uint64_t deadline, std::function<void()> done) {
  auto& s = *state_;
  if (s.state == PluginState::Draining) return s.drain_end->tell(std::move(done));
  if (s.state != PluginState::Serving && s.state != PluginState::Warm) return done();
  s.state = PluginState::Draining;
  s.services->draining = true;
  s.services->cancel_dials();
  s.drain_end = std::make_shared<DrainEnd>();
  s.drain_end->tell(std::move(done));
  const auto begun =
      s.call("drain()", [end = s.drain_end, deadline, api = s.api, of = s.handle](sy_error*) {
        const auto reach = [](void* context) { static_cast<DrainEnd*>(context)->reach(); };
        return api->drain(of, deadline, reach, end.get());
      });
  if (begun) return;
  s.log(SY_LOG_ERROR, begun.error().text);
  const auto end = s.drain_end;
  if (begun.error().code == CallHung) s.retain(begun.error().text);
  end->reach();
}

void Instance::abort_all() {
  using enum PluginState;
  if (state_->state == Serving || state_->state == Warm || state_->state == Draining) {
    state_->services->draining = true;
    state_->abort_all();
  }
}

void Instance::cut_short(std::chrono::milliseconds limit) {
  state_->force("did not drain within " + duration_text(limit) + " and was cut");
  abort_all();
}

const std::string& Instance::forced() const noexcept {
  return state_->forced;
}

void Instance::stop() {
  state_->end();
}

OrRefusal<void> Instance::health() {
  auto& s = *state_;
  BOOST_ASSERT(s.handle != nullptr && !s.retained);
  return s.call(
      "health()", [api = s.api, of = s.handle](sy_error* error) { return api->health(of, error); });
}

PluginState Instance::state() const noexcept {
  return state_->state;
}

const std::string& Instance::why() const noexcept {
  return state_->why;
}

bool Instance::code_stays() const noexcept {
  return state_->retained;
}

const PluginOrigin& Instance::origin() const noexcept {
  return state_->origin;
}

const std::string& Instance::name() const noexcept {
  return state_->config.name;
}

const std::string& Instance::library() const noexcept {
  return state_->path;
}

std::string Instance::staged() const {
  return state_->file ? state_->file->path() : std::string{};
}

std::string Instance::sha256() const {
  return state_->file ? state_->file->sha256() : std::string{};
}

std::string Instance::signature() const {
  return state_->file ? state_->file->signature() : std::string{};
}

std::uint32_t Instance::generation() const noexcept {
  return state_->generation;
}

const Manifest* Instance::manifest() const noexcept {
  return state_->verified ? &state_->verified->manifest : nullptr;
}

std::optional<IsolatedStanding> Instance::isolated() const {
  if (!state_->isolated) return std::nullopt;
  return state_->isolated->standing();
}

const sy_plugin& Instance::api() const noexcept {
  return *state_->api;
}

sy_instance* Instance::handle() const noexcept {
  return state_->handle;
}

InstanceServices& Instance::services() const noexcept {
  return *state_->services;
}

} // namespace switchyard::host
