#include <host/connection/owner.hpp>

namespace switchyard::host {

void ConnectionOwner::close_all(CloseReason reason) {
  while (!live_.empty())
    live_.front().close(reason);
  hangups_.shutdown_all();
}

void ConnectionOwner::close_those_of(const InstanceServices& plugin) {
  for (auto next = live_.begin(); next != live_.end();) {
    auto& connection = *next++;
    if (connection.is_of(plugin)) connection.close(CloseReason::Internal);
  }
  hangups_.shutdown_those_of(plugin);
}

} // namespace switchyard::host
