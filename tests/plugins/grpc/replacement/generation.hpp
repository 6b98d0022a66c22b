#pragma once

#include "service.hpp"

#include <switchyard/plugin.h>

#include <host/plugin/library.hpp>
#include <host/plugin/staging.hpp>
#include <host/services/instance_services.hpp>

#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>

namespace switchyard::host {
class Connection;
}

namespace switchyard::grpc::test {

class ReplacingHost;

/// One generation of the plugin, from its file to the proof that it has gone. Used by one thread,
/// except where it says otherwise.
class Generation {
public:
  /// Launches the plugin at `library` (a path) and binds `service` to it, as `registration`. Throws
  /// the sentence of what goes wrong.
  Generation(
      ReplacingHost& host,
      Service& service,
      sy_registration* registration,
      std::uint32_t number,
      const std::string& library);

  /// Ends what stop() has not.
  ~Generation();
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;

  [[nodiscard]] std::uint32_t number() const noexcept { return number_; }

  /// Gives the plugin a connection; false when it does not take it. [loop] of the connection
  [[nodiscard]] bool serve(host::Connection& connection);

  /// Asks its clients to leave.
  void drain();

  /// Whether all have left, within `limit`.
  [[nodiscard]] bool drained(std::chrono::seconds limit) const;

  /// Stops and unloads it. Empty, or why its code has not left the process.
  [[nodiscard]] std::string stop();

private:
  void load(const std::string& path);

  const sy_grpc_services& services();

  ReplacingHost& host_;
  const std::uint32_t number_;
  Service::Offer offer_;
  sy_registration* const registration_;
  std::optional<host::StagedFile> file_;
  host::Library library_;
  const sy_plugin* plugin_ = nullptr;
  std::unique_ptr<host::InstanceServices> host_services_;
  sy_instance* instance_ = nullptr;
  std::promise<void> drained_;
  const std::future<void> end_of_drain_ = drained_.get_future();
};

} // namespace switchyard::grpc::test
