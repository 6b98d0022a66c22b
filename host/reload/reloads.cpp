#include <host/config/parse.hpp>
#include <host/plugin/plugin_set.hpp>
#include <host/plugin/staging.hpp>
#include <host/reload/difference.hpp>
#include <host/reload/reloads.hpp>
#include <host/swap/departure.hpp>
#include <host/swap/swaps.hpp>

#include <boost/asio/post.hpp>
#include <boost/json/array.hpp>

#include <algorithm>
#include <chrono>
#include <deque>
#include <utility>

namespace switchyard::host {

namespace json = boost::json;
namespace net = boost::asio;
using Clock = std::chrono::steady_clock;

namespace {

/// How often a new generation must say in a row that it is well before it serves.
constexpr int kHealthChecks = 3;

std::string joined(const std::vector<std::string>& sentences) {
  std::string all;
  for (const auto& sentence : sentences)
    all += (all.empty() ? "" : "\n") + sentence;
  return all;
}

json::object to_json(const Change& change) {
  return {
      {"what", change.what},
      {"name", change.name},
      {"change", change.change},
      {"from", change.from},
      {"to", change.to}};
}

/// A line of the log: "plugin grpc added, limits.spin changed".
std::string summary(const std::vector<Change>& changes) {
  std::string text;
  for (const auto& change : changes) {
    text += (text.empty() ? "" : ", ") + (change.what == "setting" ? "" : change.what + ' ') +
            change.name + ' ' + change.change;
  }
  return text.empty() ? "nothing else has changed" : text;
}

} // namespace

struct Reloads::State {
  ReloadSurroundings around;
  std::shared_ptr<Reload> current{};
  std::shared_ptr<const int> wanted = std::make_shared<const int>(0); ///< null: the server ends

  /// Sees one generation of `plugin` out.
  void depart(Generations& plugin, Instance& generation) const {
    host::depart(
        around.context,
        generation,
        around.config.limits,
        wanted,
        [&plugin, &generation, &plugins = around.plugins] {
          plugin.forget(generation);
          plugins.sweep();
        });
  }
};

/// One of them, from its begin to its end.
class Reloads::Reload : public std::enable_shared_from_this<Reload> {
public:
  Reload(State& reloads, Swapped swapped, bool dry_run)
      : reloads_{reloads}, swapped_{swapped}, dry_run_{dry_run} {}

  [[nodiscard]] const ControlReply& reply() const noexcept { return reply_; }

  void begin() {
    steps_.push_back({"read", "", [this] { return read(); }});
    post_step();
  }

  /// Leaves everything as it was, and says why.
  void abandon(const std::string& why);

private:
  using Fault = std::optional<std::string>; ///< the sentence

  /// One step of the control thread: between two of them others are heard.
  struct Step {
    std::string phase;
    std::string plugin; ///< that it is about, if it is about one
    std::function<Fault()> run;
  };

  /// A plugin that is to run another generation.
  struct Fresh {
    const PluginConfig* wanted;
    Generations* plugin;
    Instance* generation;
    bool joins; ///< the configuration had no such plugin

    [[nodiscard]] const std::string& name() const { return wanted->name; }
  };

  void post_step() {
    net::post(*reloads_.around.context, [self = shared_from_this()] { self->step(); });
  }

  void step();
  Fault read();
  Fault settle_swapped();
  Fault verify(const PluginConfig& wanted, bool changed);
  Fault plan();
  Fault bring_up(Fresh& fresh);
  Fault flip();
  void leave(const std::vector<Generations*>& replaced, bool stuck);
  void finish();

  [[nodiscard]] Fault at(const PluginConfig& wanted, const OrRefusal<void>& done) const {
    if (done) return std::nullopt;
    return next_.file + ':' + std::to_string(wanted.place.line) + ": " + done.error().text;
  }

  Change& change_of(const std::string& plugin) {
    const auto known = std::ranges::find_if(changes_, [&](const Change& change) {
      return change.what == "plugin" && change.name == plugin;
    });
    if (known != changes_.end()) return *known;
    return changes_.emplace_back(Change{"plugin", plugin, "swapped"});
  }

  State& reloads_;
  const Swapped swapped_;
  const bool dry_run_;
  const ControlReply reply_;
  const Clock::time_point begun_ = Clock::now();
  std::deque<Step> steps_;
  Config next_;
  std::vector<Change> changes_;
  PluginDifference plugins_;
  std::vector<Fresh> fresh_;
  RouteTable routes_;
  bool over_ = false;
};

void Reloads::Reload::step() {
  if (over_) return; // the server has begun to stop
  const auto step = std::move(steps_.front());
  steps_.pop_front();
  const auto begun = Clock::now();
  if (const auto fault = step.run()) return abandon(*fault);
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begun);
  json::object line{{"phase", step.phase}, {"took_us", took.count()}};
  if (!step.plugin.empty()) line["plugin"] = step.plugin;
  reply_.say(std::move(line));
  if (steps_.empty()) return finish();
  post_step();
}

/// The file, and what follows from it.
Reloads::Reload::Fault Reloads::Reload::read() {
  auto& around = reloads_.around;
  auto loaded = load(around.config.file);
  if (!loaded) {
    auto text = describe(loaded.error());
    text.pop_back();
    return text;
  }
  next_ = *std::move(loaded);
  if (auto fault = settle_swapped()) return fault;
  auto found = difference(around.config, next_);
  if (!found.fixed.empty()) {
    std::vector<std::string> sentences;
    for (const auto& problem : found.fixed)
      sentences.push_back(describe(next_.file, problem));
    return joined(sentences);
  }
  changes_ = std::move(found.changes);
  plugins_ = std::move(found.plugins);
  for (const auto& [positions, changed] :
       {std::pair{&plugins_.added, true},
        std::pair{&plugins_.changed, true},
        std::pair{&plugins_.unchanged, false}}) {
    for (const auto position : *positions) {
      const auto& wanted = next_.plugins[position];
      steps_.push_back({"verified", wanted.name, [this, &wanted, changed = changed] {
                          return verify(wanted, changed);
                        }});
    }
  }
  steps_.push_back({"planned", "", [this] { return plan(); }});
  return std::nullopt;
}

/// Versions that `plugin swap` has put in the place of what the file says.
Reloads::Reload::Fault Reloads::Reload::settle_swapped() {
  std::vector<std::string> asked;
  for (const auto& plugin : reloads_.around.config.plugins) {
    const auto wanted = std::ranges::find(next_.plugins, plugin.name, &PluginConfig::name);
    if (plugin.swapped.empty() || wanted == next_.plugins.end()) continue;
    const auto& serving = reloads_.around.plugins.find(plugin.name)->serving();
    if (sha256_of(source_of(next_.host, *wanted)) == serving.sha256())
      continue; // it is in the file
    if (swapped_ == Swapped::Keep) wanted->swapped = plugin.swapped;
    if (swapped_ != Swapped::Ask) continue;
    asked.push_back(
        next_.file + ':' + std::to_string(wanted->place.line) + ": plugin." + plugin.name +
        ": plugin swap has put another version (sha256 " + serving.sha256().substr(0, 16) +
        "…) in the place of \"" + wanted->library +
        "\": reload with --keep to keep it, or with --discard to take what the file says");
  }
  if (asked.empty()) return std::nullopt;
  return joined(asked);
}

Reloads::Reload::Fault Reloads::Reload::verify(const PluginConfig& wanted, bool changed) {
  auto& plugins = reloads_.around.plugins;
  auto* known = plugins.find(wanted.name);
  if (!changed) {
    const auto& serving = known->serving();
    if (serving.state() != PluginState::Serving) return std::nullopt; // plugin swap tries it again
    const auto found = sha256_of(source_of(next_.host, wanted));
    if (found == serving.sha256()) return std::nullopt;
  }
  const auto joins = known == nullptr;
  if (joins) {
    known = &plugins.join(wanted);
  } else if (const auto refusal = reloads_.around.swaps.not_now(wanted.name)) {
    return at(wanted, *refusal);
  }
  auto& generation = joins ? known->serving() : known->prepare(wanted);
  fresh_.push_back({&wanted, known, &generation, joins});
  if (auto fault = at(wanted, generation.verify())) return fault;
  auto& change = change_of(wanted.name);
  change.to = generation.manifest()->version;
  if (const auto* before = joins ? nullptr : known->serving().manifest(); before != nullptr)
    change.from = before->version;
  return std::nullopt;
}

/// Their place among each other and in the process.
Reloads::Reload::Fault Reloads::Reload::plan() {
  auto planned = reloads_.around.plugins.fits(next_);
  if (!planned) return next_.file + ": " + planned.error().text;
  routes_ = std::move(planned->routes);
  const auto problems = reloads_.around.judge(next_, routes_);
  if (!problems.empty()) return joined(problems);

  for (const auto& fresh : fresh_) {
    steps_.push_back({"probed", fresh.name(), [this, &fresh] {
                        return at(*fresh.wanted, fresh.generation->probe());
                      }});
  }
  if (dry_run_) return std::nullopt;
  for (const auto* plugin : planned->order) {
    const auto fresh =
        std::ranges::find_if(fresh_, [&](const Fresh& one) { return one.plugin == plugin; });
    if (fresh == fresh_.end()) continue;
    steps_.push_back({"healthy", fresh->name(), [this, &one = *fresh] { return bring_up(one); }});
  }
  steps_.push_back({"flipped", "", [this] { return flip(); }});
  return std::nullopt;
}

/// Up to where it could serve. One that joins gives its interfaces already: nobody else has them,
/// and those that come after it may need them.
Reloads::Reload::Fault Reloads::Reload::bring_up(Fresh& fresh) {
  auto& generation = *fresh.generation;
  auto done = generation.stand_by();
  if (done) done = generation.activate();
  if (done && !generation.unbound().empty())
    done = refuse(RefusalCode::Unbound, fresh.name(), {generation.unbound().front()});
  for (int check = 0; done && check < kHealthChecks; ++check) {
    done = generation.health();
    if (!done && done.error().code == RefusalCode::CallHung) generation.give_up(done.error().text);
  }
  if (done && fresh.joins) done = generation.publish();
  return at(*fresh.wanted, done);
}

Reloads::Reload::Fault Reloads::Reload::flip() {
  auto& around = reloads_.around;
  auto follow = around.prepare(next_, routes_);
  if (!follow) return joined(follow.error());

  std::vector<Generations*> replaced;
  for (const auto& fresh : fresh_) {
    if (fresh.joins) continue;
    const auto replaces = fresh.plugin->serving().state() == PluginState::Serving;
    if (const auto published = fresh.generation->publish(); !published) {
      if (replaces) replaced.push_back(fresh.plugin);
      for (auto* plugin : replaced) {
        plugin->serving().stand_aside();
        static_cast<void>(plugin->serving().publish()); // its place was kept
      }
      return at(*fresh.wanted, published);
    }
    if (replaces) replaced.push_back(fresh.plugin);
  }
  // From here on nothing fails.
  for (const auto& fresh : fresh_) {
    if (!fresh.joins) fresh.plugin->promote();
  }
  around.config = next_;
  around.plugins.follow();
  const auto stuck = (*follow)();
  if (stuck) reloads_.around.log(true, "reloaded, but " + *stuck);
  leave(replaced, stuck.has_value());
  return std::nullopt;
}

/// Sees those out that nobody leads to any more.
void Reloads::Reload::leave(const std::vector<Generations*>& replaced, bool stuck) {
  const auto out = [&](Generations& plugin, Instance& generation) {
    if (stuck) {
      generation.give_up("a loop that is stuck may still lead to it");
    } else {
      reloads_.depart(plugin, generation);
    }
  };
  for (auto* plugin : replaced) {
    reloads_.around.committed(*plugin, plugin->warm());
    out(*plugin, plugin->retire());
  }
  for (const auto& plugin : plugins_.removed)
    reloads_.around.discard(plugin);
  std::vector<Generations*> parting; // sweep() may come in between
  for (const auto& plugin : reloads_.around.plugins.parting())
    parting.push_back(plugin.get());
  for (auto* plugin : parting) {
    if (std::ranges::find(plugins_.removed, plugin->name()) == plugins_.removed.end()) continue;
    reloads_.around.swaps.forget(*plugin);
    if (plugin->serving().state() == PluginState::Serving) out(*plugin, plugin->serving());
  }
}

void Reloads::Reload::abandon(const std::string& why) {
  if (std::exchange(over_, true)) return;
  // Consumers before providers.
  for (auto fresh = fresh_.rbegin(); fresh != fresh_.rend(); ++fresh) {
    if (fresh->joins) {
      reloads_.around.plugins.part(*fresh->plugin);
    } else {
      fresh->plugin->discard();
    }
  }
  if (!dry_run_) reloads_.around.log(true, "not reloaded, everything stays as it was: " + why);
  reply_.end({{"error", why}});
  reloads_.around.swaps.hold(false);
  reloads_.current = nullptr; // perhaps the last hold on this but the caller's
}

void Reloads::Reload::finish() {
  over_ = true;
  json::array changes;
  for (const auto& change : changes_)
    changes.emplace_back(to_json(change));
  json::object answer{
      {"file", next_.file},
      {"dry_run", dry_run_},
      {"changes", std::move(changes)},
      {"certificates", next_.tls.has_value()},
      {"took_ms",
       std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begun_).count()}};
  if (dry_run_) {
    for (const auto& fresh : fresh_) {
      if (fresh.joins) {
        reloads_.around.plugins.part(*fresh.plugin);
      } else {
        fresh.plugin->discard();
      }
    }
  } else {
    const auto* certificates = next_.tls ? "certificates reloaded, " : "";
    reloads_.around.log(false, "reloaded " + next_.file + ": " + certificates + summary(changes_));
  }
  reply_.end(std::move(answer));
  reloads_.around.swaps.hold(false);
  reloads_.current = nullptr;
}

Reloads::Reloads(ReloadSurroundings surroundings)
    : state_{std::make_unique<State>(State{std::move(surroundings)})} {}

Reloads::~Reloads() = default;

ControlReply Reloads::reload(Swapped swapped, bool dry_run) {
  auto& s = *state_;
  const auto refused = [&](const std::string& why) {
    if (!dry_run) s.around.log(true, "not reloaded, everything stays as it was: " + why);
    return json::object{{"error", why}};
  };
  if (!s.wanted) return refused("the server stops");
  if (s.current) return refused("another reload is under way: wait until that has ended");
  if (const auto open = s.around.swaps.open()) return refused(*open);
  const auto begun = std::make_shared<Reload>(s, swapped, dry_run);
  s.current = begun;
  s.around.swaps.hold(true);
  begun->begin();
  return begun->reply();
}

void Reloads::end() {
  state_->wanted.reset();
  if (const auto kept = state_->current) kept->abandon("the server stops");
}

} // namespace switchyard::host
