#pragma once

#include <switchyard/connection.h>

namespace switchyard::host {

/// Our side of sy_connection: each function leads to the Connection behind it.
extern const sy_connection_api kConnectionApi;

} // namespace switchyard::host
