#pragma once

#include <host/config/config.hpp>

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>

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

} // namespace switchyard::host
