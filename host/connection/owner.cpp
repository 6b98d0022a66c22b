#include <host/connection/owner.hpp>

namespace switchyard::host {

void ConnectionOwner::close_all(CloseReason reason) {
  while (!live_.empty())
    live_.front().close(reason);
  hangups_.shutdown_all();
}

} // namespace switchyard::host
