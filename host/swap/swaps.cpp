#include <host/plugin/plugin_set.hpp>
#include <host/services/services.hpp>
#include <host/swap/admission.hpp>
#include <host/swap/candidate.hpp>
#include <host/swap/course.hpp>
#include <host/swap/departure.hpp>
#include <host/swap/flip.hpp>
#include <host/swap/hand_over.hpp>
#include <host/swap/judgement.hpp>
#include <host/swap/swap_plan.hpp>
#include <host/swap/swap_records.hpp>
#include <host/swap/swaps.hpp>
#include <host/swap/trial.hpp>
#include <host/swap/users.hpp>

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

json::object failure(std::string_view sentence) {
  return {{"error", sentence}};
}

json::object no_such(const std::string& name) {
  return failure("no plugin is named '" + name + "' in the configuration");
}

std::string said(const Instance& generation) {
  return "generation " + std::to_string(generation.generation());
}

ConnectionAccount account(const Instance& generation) {
  const auto& services = generation.services();
  return {.taken = services.taken, .failed = services.errors};
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
  std::shared_ptr<Swap>
  begin(Generations& plugin, PluginOrigin origin, std::function<void(const Refusal& why)> failed);
  void
  restart_users(const Generations& provider, const std::function<void(const Refusal&)>& failed);
  void depart(Generations& plugin, Instance& generation);
};

/// One of them, from its begin to its end.
class Swaps::Swap : public std::enable_shared_from_this<Swap> {
public:
  /// `failed` is told when it ends before the flip.
  Swap(
      State& swaps,
      Generations& plugin,
      PluginOrigin origin,
      std::function<void(const Refusal& why)> failed)
      : swaps_{swaps}, plugin_{plugin}, origin_{std::move(origin)}, failed_{std::move(failed)} {}

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
  OrRefusal<void> flip();
  OrRefusal<void> judge();
  void passed_one(SwapPhase phase);
  void open_window();
  void watch();
  void flip_back();
  void end(const Refusal& why);

  State& swaps_;
  Generations& plugin_;
  const PluginOrigin origin_;
  const std::function<void(const Refusal& why)> failed_;
  const ControlReply reply_;
  SwapPhase phase_ = SwapPhase::Verify;
  std::uint32_t generation_ = 0;
  std::string version_;
  Clock::time_point begun_ = Clock::now(); ///< the phase
  HandOver hand_over_{plugin_};
  bool exclusive_ = false;
  std::chrono::microseconds pause_{0}; ///< in which nobody served
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
    auto& made = plugin_.prepare(origin_);
    const auto verified = made.verify();
    generation_ = made.generation();
    if (verified) version_ = made.manifest()->version;
    return verified;
  }
  case SwapPhase::Plan: {
    exclusive_ = HandOver::needed(plugin_);
    const auto fits = swaps_.around.plugins.fits(plugin_);
    return fits && exclusive_ ? HandOver::possible(plugin_) : fits;
  }
  case SwapPhase::Probe: {
    const auto probed = candidate->probe();
    return probed ? candidate->rehearse() : probed;
  }
  case SwapPhase::Start: return candidate->stand_by();
  case SwapPhase::Activate: return begin_work(plugin_, exclusive_ ? &hand_over_ : nullptr);
  case SwapPhase::Health: return prove_well(*candidate);
  case SwapPhase::Answer: return prove_answers(swaps_.around, *candidate, hand_over_.pause());
  case SwapPhase::Flip: return flip();
  default: BOOST_ASSERT(false); return {};
  }
}

OrRefusal<void> Swaps::Swap::flip() {
  if (auto late = hand_over_.in_time(swaps_.around.config.swap.pause); !late) return late;
  flipped_ = Clock::now();
  const auto done = host::flip(swaps_.around, plugin_);
  pause_ = std::chrono::duration_cast<std::chrono::microseconds>(hand_over_.pause());
  flip_time_ = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - flipped_);
  return done;
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
    commit(swaps_.around, plugin_, plugin_.warm());
    if (plugin_.warm() != nullptr && event != SwapEvent::Ending)
      swaps_.depart(plugin_, plugin_.retire());
    return end(why);
  case SwapPhase::RolledBack: flip_back(); return end(why);
  case SwapPhase::Failed: return end(withdraw(swaps_.around, plugin_, hand_over_, why));
  default: return begin();
  }
}

void Swaps::Swap::passed_one(SwapPhase phase) {
  if (phase == SwapPhase::Answer && trials_of(*plugin_.candidate()).empty()) return;
  reply_.say(
      {{"phase", passed(phase)},
       {"plugin", plugin_.name()},
       {"generation", generation_},
       {"version", version_},
       {"took_us", since<std::chrono::microseconds>(begun_)}});
}

void Swaps::Swap::open_window() {
  const auto watched = plugin_.warm() != nullptr && !exclusive_;
  const auto window = watched ? swaps_.around.config.swap.window : std::chrono::milliseconds{0};
  json::object answer{
      {"plugin", plugin_.name()},
      {"generation", generation_},
      {"version", version_},
      {"flip_us", flip_time_.count()},
      {"pause_us", pause_.count()},
      {"window_ms", window.count()}};
  if (const auto* before = plugin_.warm(); before != nullptr) {
    answer["before"] = {
        {"generation", before->generation()}, {"version", before->manifest()->version}};
  }
  reply_.end(std::move(answer));
  swaps_.restart_users(plugin_, [self = weak_from_this()](const Refusal& why) {
    if (const auto open = self.lock()) open->happen(SwapEvent::Refused, why);
  });
  if (phase_ != SwapPhase::Window) return;
  if (window.count() == 0) return happen(SwapEvent::Done);
  begin_trial(swaps_.around, plugin_);
  watch();
}

void Swaps::Swap::watch() {
  const auto& limits = swaps_.around.config.swap;
  const auto over = flipped_ + limits.window;
  timer_.expires_at(std::min(over, Clock::now() + limits.health_interval));
  timer_.async_wait([self = shared_from_this(), over](boost::system::error_code cancelled) {
    if (cancelled || self->phase_ != SwapPhase::Window) return;
    if (const auto well = self->judge(); !well) {
      self->happen(SwapEvent::Refused, well.error());
    } else if (Clock::now() >= over) {
      self->happen(SwapEvent::Done);
    } else {
      self->watch();
    }
  });
}

/// Whether the new one is well, by what it says and by what becomes of its connections.
OrRefusal<void> Swaps::Swap::judge() {
  auto& serving = plugin_.serving();
  const auto number = std::to_string(generation_);
  const auto time = std::to_string(since<std::chrono::milliseconds>(flipped_)) + " ms";
  const auto well = serving.health(); // its process may have ended, and be found so only now
  if (const auto process = serving.isolated(); process && !process->last_end.empty())
    return refuse(ProcessEnded, plugin_.name(), {number, time, process->last_end});
  if (!well) {
    hung_ = well.error().code == CallHung;
    return refuse(NotWell, plugin_.name(), {number, time, well.error().text});
  }
  const auto fresh = account(serving);
  const auto limit = swaps_.around.config.swap.errors;
  if (!fails_too_often(fresh, account(*plugin_.warm()), limit)) return {};
  return refuse(
      TooManyErrors,
      plugin_.name(),
      {number,
       std::to_string(fresh.failed),
       std::to_string(fresh.taken),
       time,
       std::to_string(limit)});
}

void Swaps::Swap::flip_back() {
  auto& unwanted = plugin_.serving();
  const auto followed = host::flip_back(swaps_.around, plugin_);
  swaps_.around.records.taken_back(plugin_.name());
  if (hung_ || !followed) {
    unwanted.give_up(hung_ ? "health() hangs" : "a loop that is stuck may still lead to it");
  } else {
    swaps_.depart(plugin_, unwanted);
  }
  swaps_.restart_users(plugin_, [](const Refusal&) {}); // `plugin why` of the user says it
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
  const auto kept = shared_from_this();
  swaps_.current.erase(&plugin_);
  if (phase_ == SwapPhase::Failed && failed_) failed_(why);
}

SwapStanding Swaps::State::standing(const Generations& plugin) const {
  SwapStanding standing{
      .name = plugin.name(),
      .phase = std::nullopt,
      .live = plugin.live(),
      .retained = plugin.retained(),
      .leaving = {},
      .registered_for_good = {},
      .pinned = {}};
  if (const auto found = current.find(&plugin); found != current.end())
    standing.phase = found->second->phase();
  for (const auto& generation : plugin.leaving()) {
    if (generation->state() != PluginState::Draining) continue;
    standing.leaving.push_back(
        said(*generation) + ": " + std::to_string(generation->services().connections) +
        " connections");
  }
  if (plugin.serving().state() == PluginState::Serving) {
    standing.registered_for_good =
        around.services.journal.not_exchangeable(&plugin.serving().services());
  }
  for (const auto& user : users_of(plugin, around.plugins, OnSwap::Pin))
    standing.pinned = {user.interface, user.plugin->name()};
  return standing;
}

std::optional<Refusal> Swaps::State::not_now(const Generations& plugin) const {
  if (!wanted) return refuse(ServerEnds, plugin.name(), {});
  std::vector<SwapStanding> related;
  for (const auto* other : around.plugins.related(plugin))
    related.push_back(standing(*other));
  return host::not_now(standing(plugin), related, around.config.swap);
}

/// Begins a swap; an open window of the same plugin ends.
std::shared_ptr<Swaps::Swap> Swaps::State::begin(
    Generations& plugin, PluginOrigin origin, std::function<void(const Refusal& why)> failed) {
  if (const auto open = current.find(&plugin); open != current.end()) {
    const auto kept = open->second;
    kept->happen(SwapEvent::Superseded);
  }
  auto begun = std::make_shared<Swap>(*this, plugin, std::move(origin), std::move(failed));
  current[&plugin] = begun;
  begun->begin();
  return begun;
}

/// Puts a new generation, of the same file, in the place of each user that wants it so. `failed` is
/// told of one for which that did not work.
void Swaps::State::restart_users(
    const Generations& provider, const std::function<void(const Refusal&)>& failed) {
  std::vector<const Generations*> begun;
  for (const auto& user : users_of(provider, around.plugins, OnSwap::Restart)) {
    if (std::ranges::find(begun, user.plugin) != begun.end()) continue;
    begun.push_back(user.plugin);
    // One that is on its way already will find the provider that serves by then.
    const auto open = current.find(user.plugin);
    if (open != current.end() && open->second->phase() != SwapPhase::Window) continue;
    auto& plugin = *around.plugins.find(user.plugin->name());
    begin(plugin, plugin.again(), [failed, &plugin, &provider](const Refusal& why) {
      failed(refuse(NotRestarted, provider.name(), {plugin.name(), why.text}));
    });
  }
}

void Swaps::State::depart(Generations& plugin, Instance& generation) {
  const auto gone = [this, &plugin, &generation] {
    const auto outcome = outcomes.find(&plugin);
    if (outcome != outcomes.end() && !generation.forced().empty()) {
      outcome->second["left"] =
          "generation " + std::to_string(generation.generation()) + ' ' + generation.forced();
    }
    plugin.forget(generation);
  };
  host::depart(around.context, generation, around.config.limits, wanted, gone);
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
  return s.begin(*plugin, plugin->file(library), {})->reply();
}

ControlReply Swaps::plan(const std::string& name, const std::string& library) {
  auto& s = *state_;
  auto* plugin = s.around.plugins.find(name);
  if (plugin == nullptr) return no_such(name);
  if (!s.wanted) return failure(refuse(ServerEnds, name, {}).text);
  if (s.held) return failure(refuse(ReloadUnderWay, name, {}).text);
  if (plugin->candidate() != nullptr) return failure(refuse(SwapUnderWay, name, {}).text);
  auto plan = plan_swap(*plugin, library, s.around.plugins, s.around.services);
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
  if (open == s.current.end() || open->second->phase() != SwapPhase::Window) {
    if (const auto before = s.around.records.before(name); !before.empty())
      return swap(name, before);
    return failure(refuse(NothingToTakeBack, name, {}).text);
  }
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

void Swaps::restart_users(const Generations& provider) {
  state_->restart_users(provider, [this, &provider](const Refusal& why) {
    state_->around.services.log.write(provider.name(), SY_LOG_ERROR, why.text);
  });
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
