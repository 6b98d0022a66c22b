#pragma once

#include <host/config/config.hpp>
#include <host/control/reply.hpp>
#include <host/plugin/refusal.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace switchyard::host {

class Generations;
class Instance;
class PluginSet;
struct Services;

/// What swaps need of the server; all of it outlives them.
struct SwapSurroundings {
  std::shared_ptr<boost::asio::io_context> context; ///< of the control thread, where all of it runs
  const Config& config;
  PluginSet& plugins;
  Services& services;

  /// Gives every loop PluginSet::dispatch(), and returns when they have it; else a sentence.
  std::function<std::optional<std::string>()> follow_plugins;

  /// The generation that serves stays, after one that served (null: none did). Perhaps empty.
  std::function<void(Generations& plugin, const Instance* before)> committed{};
};

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

  /// Ends the window of the last swap with the generation before.
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
