#include <host/plugin/plugin_set.hpp>
#include <host/services/services.hpp>
#include <host/swap/admission.hpp>
#include <host/swap/course.hpp>
#include <host/swap/departure.hpp>
#include <host/swap/swap_plan.hpp>
#include <host/swap/swaps.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/assert.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>
#include <vector>

namespace switchyard::host {

namespace json = boost::json;
namespace net = boost::asio;
using Clock = std::chrono::steady_clock;
using enum RefusalCode;

namespace {

/// How often the new generation must say in a row that it is well before it serves.
constexpr int kHealthChecks = 3;

json::object failure(std::string_view sentence) {
  return {{"error", sentence}};
}

json::object no_such(const std::string& name) {
  return failure("no plugin is named '" + name + "' in the configuration");
}

std::string said(const Instance& generation) {
  return "generation " + std::to_string(generation.generation());
}

template <class Unit>
std::int64_t since(Clock::time_point begin) {
  return std::chrono::duration_cast<Unit>(Clock::now() - begin).count();
}

} // namespace

struct Swaps::State {
  SwapSurroundings around;
  std::map<const Generations*, std::shared_ptr<Swap>> current{};
  std::map<const Generations*, json::object> outcomes{};
  bool held = false;                                                  ///< by a reload
  std::shared_ptr<const int> wanted = std::make_shared<const int>(0); ///< null: the server ends

  [[nodiscard]] SwapStanding standing(const Generations& plugin) const;
  [[nodiscard]] std::optional<Refusal> not_now(const Generations& plugin) const;
  void depart(Generations& plugin, Instance& generation);
};

/// One of them, from its begin to its end.
class Swaps::Swap : public std::enable_shared_from_this<Swap> {
public:
  Swap(State& swaps, Generations& plugin, std::string library)
      : swaps_{swaps}, plugin_{plugin}, library_{std::move(library)} {}

  [[nodiscard]] SwapPhase phase() const noexcept { return phase_; }

  [[nodiscard]] const ControlReply& reply() const noexcept { return reply_; }

  void begin() {
    net::post(*swaps_.around.context, [self = shared_from_this()] { self->step(); });
  }

  /// `why` of a refusal, or of the wish to take it back.
  void happen(SwapEvent event, const Refusal& why = {});

private:
  void step();
  OrRefusal<void> perform();
  OrRefusal<void> healthy();
  OrRefusal<void> flip();
  void passed_one(SwapPhase phase);
  void open_window();
  void watch();
  void flip_back();
  void end(const Refusal& why);

  State& swaps_;
  Generations& plugin_;
  const std::string library_;
  const ControlReply reply_;
  SwapPhase phase_ = SwapPhase::Verify;
  std::uint32_t generation_ = 0;
  std::string version_;
  Clock::time_point begun_ = Clock::now(); ///< the phase
  Clock::time_point flipped_;
  std::chrono::microseconds flip_time_{0};
  bool hung_ = false; ///< the new one does not return from health()
  net::steady_timer timer_{*swaps_.around.context};
};

void Swaps::Swap::step() {
  if (ended(phase_)) return; // the server has begun to stop
  begun_ = Clock::now();
  const auto done = perform();
  if (done) {
    happen(SwapEvent::Done);
  } else {
    happen(SwapEvent::Refused, done.error());
  }
}

OrRefusal<void> Swaps::Swap::perform() {
  auto* candidate = plugin_.candidate();
  switch (phase_) {
  case SwapPhase::Verify: {
    auto& made = plugin_.prepare(library_);
    const auto verified = made.verify();
    generation_ = made.generation();
    if (verified) version_ = made.manifest()->version;
    return verified;
  }
  case SwapPhase::Plan: return swaps_.around.plugins.fits(plugin_);
  case SwapPhase::Probe: return candidate->probe();
  case SwapPhase::Start: return candidate->stand_by();
  case SwapPhase::Activate: {
    const auto active = candidate->activate();
    if (active && !candidate->unbound().empty())
      return refuse(Unbound, plugin_.name(), {candidate->unbound().front()});
    return active;
  }
  case SwapPhase::Health: return healthy();
  case SwapPhase::Flip: return flip();
  default: BOOST_ASSERT(false); return {};
  }
}

OrRefusal<void> Swaps::Swap::healthy() {
  for (int check = 0; check < kHealthChecks; ++check) {
    const auto well = plugin_.candidate()->health();
    if (well) continue;
    if (well.error().code == CallHung) plugin_.candidate()->give_up(well.error().text);
    return well;
  }
  return {};
}

OrRefusal<void> Swaps::Swap::flip() {
  auto& before = plugin_.serving();
  auto& fresh = *plugin_.candidate();
  const auto replaces = before.state() == PluginState::Serving;
  flipped_ = Clock::now();
  if (auto published = fresh.publish(); !published) {
    if (replaces) {
      before.stand_aside();
      static_cast<void>(before.publish()); // its place was kept
    }
    return published;
  }
  plugin_.promote();
  swaps_.around.plugins.reroute();
  const auto stuck = swaps_.around.follow_plugins();
  flip_time_ = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - flipped_);
  if (!stuck || !replaces) return {};

  static_cast<void>(plugin_.warm()->publish());
  plugin_.demote();
  swaps_.around.plugins.reroute();
  static_cast<void>(swaps_.around.follow_plugins()); // the stuck loop takes both, in this order
  fresh.give_up("a loop that is stuck may still lead to it");
  return refuse(LoopStuck, plugin_.name(), {*stuck});
}

void Swaps::Swap::happen(SwapEvent event, const Refusal& why) {
  const auto next = after(phase_, event);
  if (!next) return;
  const auto before = std::exchange(phase_, *next);
  if (event == SwapEvent::Done && before <= SwapPhase::Flip) passed_one(before);
  timer_.cancel();
  switch (phase_) {
  case SwapPhase::Window: return open_window();
  case SwapPhase::Committed:
    if (swaps_.around.committed) swaps_.around.committed(plugin_, plugin_.warm());
    if (plugin_.warm() != nullptr && event != SwapEvent::Ending)
      swaps_.depart(plugin_, plugin_.retire());
    return end(why);
  case SwapPhase::RolledBack: flip_back(); return end(why);
  case SwapPhase::Failed: plugin_.discard(); return end(why);
  default: return begin();
  }
}

void Swaps::Swap::passed_one(SwapPhase phase) {
  reply_.say(
      {{"phase", passed(phase)},
       {"plugin", plugin_.name()},
       {"generation", generation_},
       {"version", version_},
       {"took_us", since<std::chrono::microseconds>(begun_)}});
}

void Swaps::Swap::open_window() {
  const auto window =
      plugin_.warm() != nullptr ? swaps_.around.config.swap.window : std::chrono::milliseconds{0};
  json::object answer{
      {"plugin", plugin_.name()},
      {"generation", generation_},
      {"version", version_},
      {"flip_us", flip_time_.count()},
      {"window_ms", window.count()}};
  if (const auto* before = plugin_.warm(); before != nullptr) {
    answer["before"] = {
        {"generation", before->generation()}, {"version", before->manifest()->version}};
  }
  reply_.end(std::move(answer));
  if (window.count() == 0) return happen(SwapEvent::Done);
  watch();
}

void Swaps::Swap::watch() {
  const auto& limits = swaps_.around.config.swap;
  const auto over = flipped_ + limits.window;
  timer_.expires_at(std::min(over, Clock::now() + limits.health_interval));
  timer_.async_wait([self = shared_from_this(), over](boost::system::error_code cancelled) {
    if (cancelled || self->phase_ != SwapPhase::Window) return;
    if (const auto well = self->plugin_.serving().health(); !well) {
      self->hung_ = well.error().code == CallHung;
      const auto time = std::to_string(since<std::chrono::milliseconds>(self->flipped_)) + " ms";
      const auto number = std::to_string(self->generation_);
      self->happen(
          SwapEvent::Refused,
          refuse(NotWell, self->plugin_.name(), {number, time, well.error().text}));
    } else if (Clock::now() >= over) {
      self->happen(SwapEvent::Done);
    } else {
      self->watch();
    }
  });
}

void Swaps::Swap::flip_back() {
  auto& unwanted = plugin_.serving();
  static_cast<void>(plugin_.warm()->publish()); // its place was kept
  plugin_.demote();
  swaps_.around.plugins.reroute();
  const auto stuck = swaps_.around.follow_plugins();
  if (hung_ || stuck) {
    unwanted.give_up(hung_ ? "health() hangs" : "a loop that is stuck may still lead to it");
  } else {
    swaps_.depart(plugin_, unwanted);
  }
}

void Swaps::Swap::end(const Refusal& why) {
  if (phase_ == SwapPhase::Failed) reply_.end(failure(why.text));
  const auto& log = swaps_.around.services.log;
  const auto bad = phase_ != SwapPhase::Committed;
  log.write(
      plugin_.name(),
      bad ? SY_LOG_WARN : SY_LOG_INFO,
      "swap " + std::string{passed(phase_)} + " generation=" + std::to_string(generation_) +
          (bad ? " why=\"" + why.text + '"' : std::string{}));
  swaps_.outcomes[&plugin_] = {
      {"result", passed(phase_)},
      {"generation", generation_},
      {"version", version_},
      {"why", why.text}};
  swaps_.current.erase(&plugin_); // perhaps the last hold on this but the caller's
}

SwapStanding Swaps::State::standing(const Generations& plugin) const {
  SwapStanding standing{
      .name = plugin.name(),
      .phase = std::nullopt,
      .live = plugin.live(),
      .retained = plugin.retained(),
      .leaving = {},
      .registered_with = {}};
  if (const auto found = current.find(&plugin); found != current.end())
    standing.phase = found->second->phase();
  for (const auto& generation : plugin.leaving()) {
    if (generation->state() != PluginState::Draining) continue;
    standing.leaving.push_back(
        said(*generation) + ": " + std::to_string(generation->services().connections) +
        " connections");
  }
  if (plugin.serving().state() == PluginState::Serving) {
    standing.registered_with =
        around.services.journal.registrations_of(&plugin.serving().services());
  }
  return standing;
}

std::optional<Refusal> Swaps::State::not_now(const Generations& plugin) const {
  if (!wanted) return refuse(ServerEnds, plugin.name(), {});
  std::vector<SwapStanding> related;
  for (const auto* other : around.plugins.related(plugin))
    related.push_back(standing(*other));
  return host::not_now(standing(plugin), related, around.config.swap);
}

void Swaps::State::depart(Generations& plugin, Instance& generation) {
  host::depart(around.context, generation, around.config.limits, wanted, [&plugin, &generation] {
    plugin.forget(generation);
  });
}

Swaps::Swaps(SwapSurroundings surroundings)
    : state_{std::make_unique<State>(State{std::move(surroundings)})} {}

Swaps::~Swaps() = default;

ControlReply Swaps::swap(const std::string& name, const std::string& library) {
  auto& s = *state_;
  auto* plugin = s.around.plugins.find(name);
  if (plugin == nullptr) return no_such(name);
  if (s.held) return failure(refuse(ReloadUnderWay, name, {}).text);
  if (const auto refusal = s.not_now(*plugin)) return failure(refusal->text);
  if (const auto open = s.current.find(plugin); open != s.current.end()) {
    const auto kept = open->second;
    kept->happen(SwapEvent::Superseded);
  }
  const auto begun = std::make_shared<Swap>(s, *plugin, library);
  s.current[plugin] = begun;
  begun->begin();
  return begun->reply();
}

ControlReply Swaps::plan(const std::string& name, const std::string& library) {
  auto& s = *state_;
  auto* plugin = s.around.plugins.find(name);
  if (plugin == nullptr) return no_such(name);
  if (!s.wanted) return failure(refuse(ServerEnds, name, {}).text);
  if (s.held) return failure(refuse(ReloadUnderWay, name, {}).text);
  if (plugin->candidate() != nullptr) return failure(refuse(SwapUnderWay, name, {}).text);
  auto plan = plan_swap(*plugin, library, s.around.plugins, s.around.services.journal);
  if (!plan) return failure(plan.error().text);
  const auto refusal = s.not_now(*plugin);
  (*plan)["not_now"] = refusal ? refusal->text : std::string{};
  return *std::move(plan);
}

ControlReply Swaps::take_back(const std::string& name) {
  auto& s = *state_;
  auto* plugin = s.around.plugins.find(name);
  if (plugin == nullptr) return no_such(name);
  const auto open = s.current.find(plugin);
  if (open == s.current.end() || open->second->phase() != SwapPhase::Window)
    return failure(refuse(NothingToTakeBack, name, {}).text);
  const auto kept = open->second;
  const auto taken_back = plugin->serving().generation();
  kept->happen(SwapEvent::TakenBack, refuse(TakenBack, name, {std::to_string(taken_back)}));
  const auto& serving = plugin->serving();
  return json::object{
      {"plugin", name},
      {"generation", serving.generation()},
      {"version", serving.manifest()->version},
      {"taken_back", taken_back}};
}

json::object Swaps::last(std::string_view name) const {
  const auto* plugin = state_->around.plugins.find(name);
  if (const auto now = state_->current.find(plugin); now != state_->current.end())
    return {{"result", now->second->phase() == SwapPhase::Window ? "window" : "under way"}};
  const auto ended = state_->outcomes.find(plugin);
  return ended == state_->outcomes.end() ? json::object{} : ended->second;
}

std::optional<Refusal> Swaps::not_now(std::string_view name) const {
  const auto* plugin = state_->around.plugins.find(name);
  return plugin == nullptr ? std::nullopt : state_->not_now(*plugin);
}

std::optional<std::string> Swaps::open() const {
  if (state_->current.empty()) return std::nullopt;
  const auto& [plugin, swap] = *state_->current.begin();
  const auto window = swap->phase() == SwapPhase::Window;
  return "plugin " + plugin->name() + ' ' +
         (window ? "is in its rollback window" : "is being swapped") +
         ": reload once that has ended";
}

void Swaps::hold(bool held) noexcept {
  state_->held = held;
}

void Swaps::forget(const Generations& plugin) {
  state_->outcomes.erase(&plugin);
}

void Swaps::end() {
  auto& s = *state_;
  s.wanted.reset();
  while (!s.current.empty()) {
    const auto& [plugin, swap] = *s.current.begin();
    const auto kept = swap;
    kept->happen(SwapEvent::Ending, refuse(ServerEnds, plugin->name(), {}));
  }
}

} // namespace switchyard::host
