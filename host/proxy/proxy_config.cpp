#include <host/config/address.hpp>
#include <host/proxy/proxy_config.hpp>

namespace switchyard::host {

bool is_target(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == text.npos || colon == 0) return false;
  const auto port = parse_address("0.0.0.0" + std::string{text.substr(colon)});
  if (!port || port->port == 0) return false;
  const auto name = text.substr(0, colon);
  return parse_address(text).has_value() || name.find_first_of(":[] ") == name.npos;
}

} // namespace switchyard::host
