#pragma once

#include <host/config/config.hpp>
#include <host/plugin/file_descriptor.hpp>

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace switchyard::host {

class Instance;
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

  /// Gives `plugin`, active and perhaps without a route to it, one end of a socket pair as a
  /// connection of its `protocol`-th protocol, on a loop. It counts as nobody's.
  std::function<void(const Instance& plugin, std::uint32_t protocol, FileDescriptor socket)>
      hand_over_trial{};
};

} // namespace switchyard::host
