#pragma once

#include <host/control/reply.hpp>
#include <host/plugin/refusal.hpp>
#include <host/swap/surroundings.hpp>

#include <boost/json/object.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace switchyard::host {

class Generations;

/// Every swap of a server: each a transaction that ends with the new generation, or with the old
/// one and a sentence that says why. One thread: that of the context. A step blocks it, for as long
/// as the limits allow; between the steps other requests are answered. Shapes:
/// host/control/README.md.
class Swaps {
public:
  explicit Swaps(SwapSurroundings surroundings);
  ~Swaps();
  Swaps(const Swaps&) = delete;
  Swaps& operator=(const Swaps&) = delete;

  /// Begins to replace plugin `name` by what `library` holds (as in plugins.toml; empty: what is
  /// said there). The reply says each phase that has passed, and is answered at the flip, or as
  /// soon as it fails.
  [[nodiscard]] ControlReply swap(const std::string& name, const std::string& library);

  /// What swap() would do, as far as it can be known without running the new one in this process.
  [[nodiscard]] ControlReply plan(const std::string& name, const std::string& library);

  /// Ends the window of the last swap with the generation before. When it is over: begins a swap to
  /// the version before.
  [[nodiscard]] ControlReply take_back(const std::string& name);

  /// The swap that is under way, or else how the last one ended; empty when there was none.
  [[nodiscard]] boost::json::object last(std::string_view name) const;

  // For a transaction of another kind over the same plugins:

  /// Why plugin `name` cannot be replaced now.
  [[nodiscard]] std::optional<Refusal> not_now(std::string_view name) const;

  /// A sentence while a swap is under way or in its window.
  [[nodiscard]] std::optional<std::string> open() const;

  /// While it is held no swap begins.
  void hold(bool held) noexcept;

  /// Restarts those that want it so when `provider` has been replaced. One that cannot be is said
  /// in the log.
  void restart_users(const Generations& provider);

  /// The plugin is no more.
  void forget(const Generations& plugin);

  /// The server stops: what has not been flipped is given up, and whoever leaves is left to it.
  void end();

private:
  struct State;
  class Swap;
  std::unique_ptr<State> state_;
};

} // namespace switchyard::host
