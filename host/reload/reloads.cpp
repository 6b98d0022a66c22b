#include <host/config/parse.hpp>
#include <host/plugin/plugin_set.hpp>
#include <host/plugin/staging.hpp>
#include <host/reload/difference.hpp>
#include <host/reload/reloads.hpp>
#include <host/services/services.hpp>
#include <host/swap/candidate.hpp>
#include <host/swap/departure.hpp>
#include <host/swap/flip.hpp>
#include <host/swap/hand_over.hpp>
#include <host/swap/swap_records.hpp>
#include <host/swap/swaps.hpp>
#include <host/swap/trial.hpp>

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
        around.plugins.context,
        generation,
        around.plugins.config.limits,
        wanted,
        [&plugin, &generation, &plugins = around.plugins.plugins] {
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
    bool joins;                            ///< the configuration had no such plugin
    std::unique_ptr<HandOver> hand_over{}; ///< of an exclusive one

    [[nodiscard]] const std::string& name() const { return wanted->name; }
  };

  void post_step() {
    net::post(*reloads_.around.plugins.context, [self = shared_from_this()] { self->step(); });
  }

  void step();
  Fault read();
  Fault settle_swapped();
  Fault verify(const PluginConfig& wanted, bool changed);
  Fault plan();
  OrRefusal<void> plan_hand_over(Fresh& fresh);
  Fault bring_up(Fresh& fresh);
  Fault flip();
  Fault change_hands();
  OrRefusal<void> prove(Instance& generation, Clock::duration paused = {}) const;
  OrRefusal<void> hand_over(Fresh& fresh);
  void leave(bool stuck);
  void leave_to(Generations& plugin, Instance& generation, bool stuck) const;
  std::string undo(const std::string& why);
  void finish();

  [[nodiscard]] PluginSet& plugins() const { return reloads_.around.plugins.plugins; }

  [[nodiscard]] Config& config() const { return reloads_.around.plugins.config; }

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
  std::vector<const Fresh*> changed_; ///< those that have changed hands, in this order
  std::vector<std::string> named_;    ///< plugins of which the file names, now, what was swapped in
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
  auto loaded = load(config().file);
  if (!loaded) {
    auto text = describe(loaded.error());
    text.pop_back();
    return text;
  }
  next_ = *std::move(loaded);
  if (auto fault = settle_swapped()) return fault;
  auto found = difference(config(), next_);
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
  for (const auto& plugin : config().plugins) {
    const auto wanted = std::ranges::find(next_.plugins, plugin.name, &PluginConfig::name);
    if (plugin.swapped.empty() || wanted == next_.plugins.end()) continue;
    const auto sha256 = plugins().find(plugin.name)->serving().sha256();
    if (sha256_of(source_of(next_.host, *wanted)) == sha256) {
      wanted->swapped = plugin.swapped; // no generation is needed for that
      named_.push_back(plugin.name);
    } else if (swapped_ == Swapped::Keep) {
      wanted->swapped = plugin.swapped;
    } else if (swapped_ == Swapped::Ask) {
      asked.push_back(
          next_.file + ':' + std::to_string(wanted->place.line) + ": plugin." + plugin.name +
          ": plugin swap has put another version (sha256 " + sha256.substr(0, 16) +
          "…) in the place of \"" + wanted->library +
          "\": reload with --keep to keep it, or with --discard to take what the file says");
    }
  }
  if (asked.empty()) return std::nullopt;
  return joined(asked);
}

Reloads::Reload::Fault Reloads::Reload::verify(const PluginConfig& wanted, bool changed) {
  auto* known = plugins().find(wanted.name);
  if (!changed) {
    const auto& serving = known->serving();
    if (serving.state() != PluginState::Serving) return std::nullopt; // plugin swap tries it again
    const auto found = sha256_of(source_of(next_.host, wanted));
    if (found == serving.sha256()) return std::nullopt;
  }
  const auto joins = known == nullptr;
  if (joins) {
    known = &plugins().join(wanted);
  } else if (const auto refusal = reloads_.around.swaps.not_now(wanted.name)) {
    return at(wanted, *refusal);
  }
  auto& generation = joins ? known->serving() : known->prepare({.config = wanted});
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
  auto planned = plugins().fits(next_);
  if (!planned) return next_.file + ": " + planned.error().text;
  routes_ = std::move(planned->routes);
  const auto problems = reloads_.around.judge(next_, routes_);
  if (!problems.empty()) return joined(problems);
  for (auto& fresh : fresh_) {
    if (auto fault = at(*fresh.wanted, plan_hand_over(fresh))) return fault;
  }

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

/// What is exclusive is handed over, and one such plugin at a time: a second could only wait, and
/// nobody would serve meanwhile.
OrRefusal<void> Reloads::Reload::plan_hand_over(Fresh& fresh) {
  if (fresh.joins || !HandOver::needed(*fresh.plugin)) return {};
  for (const auto& other : fresh_) {
    if (other.hand_over) return refuse(RefusalCode::ReloadExclusive, fresh.name(), {other.name()});
  }
  fresh.hand_over = std::make_unique<HandOver>(*fresh.plugin);
  return HandOver::possible(*fresh.plugin);
}

/// Up to where it could serve. One that joins gives its interfaces already: nobody else has them,
/// and those that come after it may need them.
Reloads::Reload::Fault Reloads::Reload::bring_up(Fresh& fresh) {
  auto& generation = *fresh.generation;
  if (fresh.joins) {
    auto done = generation.stand_by();
    if (done) done = generation.activate();
    if (done && !generation.unbound().empty())
      done = refuse(RefusalCode::Unbound, fresh.name(), {generation.unbound().front()});
    if (done) done = prove(generation);
    if (done) done = generation.publish();
    return at(*fresh.wanted, done);
  }
  auto done = generation.stand_by();
  if (done && !fresh.hand_over) done = begin_work(*fresh.plugin, nullptr);
  if (done && !fresh.hand_over) done = prove(generation);
  return at(*fresh.wanted, done);
}

/// It says that it is well, and answers in its protocols.
OrRefusal<void> Reloads::Reload::prove(Instance& generation, Clock::duration paused) const {
  auto done = prove_well(generation);
  if (done) done = prove_answers(reloads_.around.plugins, generation, paused);
  return done;
}

Reloads::Reload::Fault Reloads::Reload::flip() {
  auto follow = reloads_.around.prepare(next_, routes_);
  if (!follow) return joined(follow.error());
  if (auto fault = change_hands()) return fault;

  // From here on nothing fails.
  for (const auto& plugin : named_)
    std::ranges::find(next_.plugins, plugin, &PluginConfig::name)->swapped.clear();
  config() = next_;
  plugins().follow();
  const auto stuck = (*follow)();
  if (stuck) reloads_.around.ended(true, "reloaded, but " + *stuck);
  leave(stuck.has_value());
  return std::nullopt;
}

/// An exclusive plugin comes last, for nobody serves while it is handed over.
Reloads::Reload::Fault Reloads::Reload::change_hands() {
  for (const auto exclusive : {false, true}) {
    for (auto& fresh : fresh_) {
      if (fresh.joins || (fresh.hand_over != nullptr) != exclusive) continue;
      auto done = exclusive ? hand_over(fresh) : OrRefusal<void>{};
      if (done) done = host::change_hands(reloads_.around.plugins, *fresh.plugin);
      if (!done) return at(*fresh.wanted, done);
      changed_.push_back(&fresh);
    }
  }
  return std::nullopt;
}

OrRefusal<void> Reloads::Reload::hand_over(Fresh& fresh) {
  auto done = begin_work(*fresh.plugin, fresh.hand_over.get());
  if (done) done = prove(*fresh.generation, fresh.hand_over->pause());
  if (done) done = fresh.hand_over->in_time(config().swap.pause);
  return done;
}

/// Sees those out that nobody leads to any more.
void Reloads::Reload::leave(bool stuck) {
  const auto& around = reloads_.around.plugins;
  for (const auto* fresh : changed_) {
    auto& plugin = *fresh->plugin;
    commit(around, plugin, plugin.warm());
    if (plugin.warm() != nullptr) leave_to(plugin, plugin.retire(), stuck);
  }
  for (const auto& plugin : named_)
    around.records.named(plugin);
  for (const auto& plugin : plugins_.removed)
    around.records.discard(plugin);
  std::vector<Generations*> parting; // sweep() may come in between
  for (const auto& plugin : around.plugins.parting())
    parting.push_back(plugin.get());
  for (auto* plugin : parting) {
    if (std::ranges::find(plugins_.removed, plugin->name()) == plugins_.removed.end()) continue;
    reloads_.around.swaps.forget(*plugin);
    if (plugin->serving().state() == PluginState::Serving)
      leave_to(*plugin, plugin->serving(), stuck);
  }
  around.plugins.sweep();
}

void Reloads::Reload::leave_to(Generations& plugin, Instance& generation, bool stuck) const {
  if (stuck) {
    generation.give_up("a loop that is stuck may still lead to it");
  } else {
    reloads_.depart(plugin, generation);
  }
}

/// Those that have changed hands have them again, and what is new goes: consumers before providers.
/// A sentence when one that serves has let go and cannot go on.
std::string Reloads::Reload::undo(const std::string& why) {
  std::string lost;
  for (auto fresh = changed_.rbegin(); fresh != changed_.rend(); ++fresh) {
    auto& plugin = *(*fresh)->plugin;
    auto& unwanted = plugin.serving();
    if (plugin.warm() == nullptr) { // nobody has served before
      unwanted.fail(refuse(RefusalCode::NotReloaded, plugin.name(), {why}));
    } else {
      change_hands_back(plugin);
      reloads_.depart(plugin, unwanted);
    }
  }
  for (auto fresh = fresh_.rbegin(); fresh != fresh_.rend(); ++fresh) {
    auto& plugin = *fresh->plugin;
    if (fresh->joins) {
      plugins().part(plugin);
    } else if (fresh->hand_over) {
      const auto refusal = refuse(RefusalCode::NotReloaded, plugin.name(), {why});
      const auto said = withdraw(reloads_.around.plugins, plugin, *fresh->hand_over, refusal);
      if (said != refusal) lost = said.text;
    } else {
      plugin.discard();
    }
  }
  return lost;
}

void Reloads::Reload::abandon(const std::string& why) {
  if (std::exchange(over_, true)) return;
  const auto lost = undo(why);
  const auto& said = lost.empty() ? why : lost;
  const auto* kept = lost.empty() ? "everything stays as it was: " : "but ";
  if (!dry_run_) reloads_.around.ended(true, "not reloaded, " + (kept + said));
  reply_.end({{"error", said}});
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
    static_cast<void>(undo({})); // nobody has let go
  } else {
    const auto* certificates = next_.tls ? "certificates reloaded, " : "";
    reloads_.around.ended(
        false, "reloaded " + next_.file + ": " + certificates + summary(changes_));
  }
  reply_.end(std::move(answer));
  reloads_.around.swaps.hold(false);
  if (!dry_run_) {
    for (const auto* fresh : changed_)
      reloads_.around.swaps.restart_users(*fresh->plugin);
  }
  reloads_.current = nullptr;
}

Reloads::Reloads(ReloadSurroundings surroundings)
    : state_{std::make_unique<State>(State{std::move(surroundings)})} {}

Reloads::~Reloads() = default;

ControlReply Reloads::reload(Swapped swapped, bool dry_run) {
  auto& s = *state_;
  const auto refused = [&](const std::string& why) {
    if (!dry_run) s.around.ended(true, "not reloaded, everything stays as it was: " + why);
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

bool Reloads::under_way() const noexcept {
  return state_->current != nullptr;
}

void Reloads::end() {
  state_->wanted.reset();
  if (const auto kept = state_->current) kept->abandon("the server stops");
}

} // namespace switchyard::host
