#pragma once

#include <switchyard/boundary.hpp>
#include <switchyard/raft/consensus.h>

#include <plugins/raft/driver/node.hpp>

#include <functional>
#include <utility>

namespace switchyard::raft {

/// A bootstrap() or recover() that waits or runs: whoever has asked is told once how it has ended,
/// also when it is dropped.
class Renewal {
public:
  Renewal(std::function<void(Node&)> work, sy_raft_done done, void* context)
      : work_{std::move(work)}, done_{done}, context_{context} {}

  ~Renewal() {
    if (done_ == nullptr) return;
    auto error = make_error();
    fill(&error, SY_CANCELLED, "raft is stopping, or is being replaced: nothing has happened");
    done_(context_, SY_CANCELLED, 0, {}, &error);
  }

  Renewal(const Renewal&) = delete;
  Renewal& operator=(const Renewal&) = delete;

  /// Nobody is told, then.
  void forget() noexcept { done_ = nullptr; }

  /// Once.
  void run(Node& node) {
    auto error = make_error();
    const auto status = at_boundary(&error, [&] { work_(node); });
    std::exchange(done_, nullptr)(context_, status, 0, {}, status == SY_OK ? nullptr : &error);
  }

private:
  std::function<void(Node&)> work_;
  sy_raft_done done_;
  void* context_;
};

} // namespace switchyard::raft
