#include <host/plugin/generations.hpp>

#include <boost/assert.hpp>

#include <algorithm>
#include <utility>

namespace switchyard::host {

Generations::Generations(const PluginEnvironment& environment, const PluginConfig& config)
    : environment_{environment},
      config_{config},
      serving_{std::make_unique<Instance>(environment, PluginOrigin{config})} {}

void Generations::each(const std::function<void(Instance& generation)>& visit) const {
  for (const auto* generation : {&serving_, &candidate_, &warm_}) {
    if (*generation) visit(**generation);
  }
  std::for_each(leaving_.rbegin(), leaving_.rend(), [&](const auto& each) { visit(*each); });
}

PluginOrigin Generations::file(const std::string& library) const {
  PluginOrigin origin{.config = config_, .on_command = !library.empty()};
  origin.config.swapped.clear();
  if (!library.empty()) origin.config.library = library;
  return origin;
}

PluginOrigin Generations::again() const {
  auto origin = serving_->origin();
  origin.copy = {serving_->staged(), serving_->signature()};
  return origin;
}

Instance& Generations::prepare(PluginOrigin origin) {
  BOOST_ASSERT(!candidate_);
  each([this](const Instance& known) { next_ = std::max(next_, known.generation() + 1); });
  origin.generation = next_;
  origin.successor = serving_->state() == PluginState::Serving;
  candidate_ = std::make_unique<Instance>(environment_, std::move(origin));
  return *candidate_;
}

void Generations::discard() {
  if (!candidate_) return;
  candidate_->stop();
  next_ = std::max(next_, candidate_->generation() + 1);
  leave(std::exchange(candidate_, nullptr));
}

void Generations::promote() {
  BOOST_ASSERT(candidate_ && !warm_);
  auto before = std::exchange(serving_, std::move(candidate_));
  if (before->state() == PluginState::Serving || before->state() == PluginState::Quiesced) {
    before->stand_aside();
    warm_ = std::move(before);
  } else {
    leave(std::move(before));
  }
}

void Generations::demote() {
  BOOST_ASSERT(warm_);
  leaving_.push_back(std::exchange(serving_, std::move(warm_)));
}

Instance& Generations::retire() {
  BOOST_ASSERT(warm_);
  leaving_.push_back(std::move(warm_));
  return *leaving_.back();
}

void Generations::forget(const Instance& gone) {
  if (gone.code_stays()) return;
  next_ = std::max(next_, gone.generation() + 1);
  std::erase_if(leaving_, [&](const auto& each) { return each.get() == &gone; });
}

std::size_t Generations::live() const noexcept {
  std::size_t count = 0;
  each([&count](const Instance& generation) {
    if (!generation.code_stays()) ++count;
  });
  return count;
}

std::size_t Generations::retained() const noexcept {
  std::size_t count = 0;
  each([&count](const Instance& generation) {
    if (generation.code_stays()) ++count;
  });
  return count;
}

/// Keeps it only if its code stays: then what that can reach is of use to whoever looks for it.
void Generations::leave(std::unique_ptr<Instance> generation) {
  if (generation->code_stays()) leaving_.push_back(std::move(generation));
}

} // namespace switchyard::host
