#pragma once

#include <string_view>

namespace switchyard::host {

/// Tells whoever supervises this process how far it is: "READY=1", "STOPPING=1", "STATUS=…".
/// Nothing happens where NOTIFY_SOCKET does not name a socket, and a supervisor that does not read
/// is not waited for. Source: sd_notify(3).
void tell_supervisor(std::string_view state) noexcept;

} // namespace switchyard::host
