#pragma once

#include <host/config/config.hpp>
#include <host/control/reply.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace switchyard::host {

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

  /// The server stops: what has not been flipped is given up, and whoever leaves is left to it.
  void end();

private:
  struct State;
  class Swap;
  std::unique_ptr<State> state_;
};

} // namespace switchyard::host
