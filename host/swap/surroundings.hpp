#pragma once

#include <host/config/config.hpp>

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace switchyard::host {

class PluginSet;
class SwapRecords;
struct Services;

/// What swaps need of the server; all of it outlives them.
struct SwapSurroundings {
  std::shared_ptr<boost::asio::io_context> context; ///< of the control thread, where all of it runs
  Config& config;                                   ///< in force; notes what was swapped in
  PluginSet& plugins;
  Services& services;
  SwapRecords& records; ///< what the next start will know

  /// Gives every loop PluginSet::dispatch(), and returns when they have it; else a sentence.
  std::function<std::optional<std::string>()> follow_plugins;
};

} // namespace switchyard::host
