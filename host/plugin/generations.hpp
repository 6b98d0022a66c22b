#pragma once

#include <host/plugin/instance.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace switchyard::host {

/// The generations of one plugin of plugins.toml, and what each is for. Moves them between these
/// roles and does nothing else with them. The control thread's.
class Generations {
public:
  Generations(const PluginEnvironment& environment, const PluginConfig& config);

  [[nodiscard]] const std::string& name() const noexcept { return config_.name; }

  /// The one that routes lead to; a plugin that was refused at the start has one, too.
  [[nodiscard]] Instance& serving() const noexcept { return *serving_; }

  /// The one that is being brought up; null outside of a swap.
  [[nodiscard]] Instance* candidate() const noexcept { return candidate_.get(); }

  /// The one before, which can serve again; null outside of a swap's window.
  [[nodiscard]] Instance* warm() const noexcept { return warm_.get(); }

  /// Those that drain or stop, and those whose code stays in memory.
  [[nodiscard]] const std::vector<std::unique_ptr<Instance>>& leaving() const noexcept {
    return leaving_;
  }

  /// All of them, the serving one first and then from the youngest.
  void each(const std::function<void(Instance& generation)>& visit) const;

  /// What is said of it in the configuration, and what plugin swap has put in the place of that.
  [[nodiscard]] const PluginConfig& config() const noexcept { return config_; }

  /// Changes that for candidates from now on.
  void configure(PluginConfig config) { config_ = std::move(config); }

  /// What a candidate of another file is made from. `library` as in plugins.toml; empty: what is
  /// said there.
  [[nodiscard]] PluginOrigin file(const std::string& library) const;

  /// What a candidate of the bytes that serve is made from, whatever has become of their file.
  [[nodiscard]] PluginOrigin again() const;

  /// A new candidate. Its number, and whether it succeeds another, are settled here.
  Instance& prepare(PluginOrigin origin);

  /// Ends the candidate: it stays among those that leave only if its code does.
  void discard();

  /// The candidate serves, and the one before is warm, or leaves if it did not serve.
  void promote();

  /// The warm one serves again, and the one after it leaves.
  void demote();

  /// The warm one leaves. There is one.
  Instance& retire();

  /// Forgets `gone`, one of those that leave, unless its code stays.
  void forget(const Instance& gone);

  /// How many there are but for those whose code stays.
  [[nodiscard]] std::size_t live() const noexcept;

  /// How many there are whose code stays in memory.
  [[nodiscard]] std::size_t retained() const noexcept;

private:
  void leave(std::unique_ptr<Instance> generation);

  const PluginEnvironment environment_;
  PluginConfig config_;
  std::uint32_t next_ = 1; ///< number that no generation has had
  std::unique_ptr<Instance> serving_;
  std::unique_ptr<Instance> candidate_;
  std::unique_ptr<Instance> warm_;
  std::vector<std::unique_ptr<Instance>> leaving_; ///< from the oldest
};

} // namespace switchyard::host
