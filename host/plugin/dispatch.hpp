#pragma once

#include <host/route/routes.hpp>

#include <vector>

namespace switchyard::host {

class Instance;

/// Where connections go: what a loop looks up. Immutable; a swap gives every loop another one. The
/// instances live until no loop has it any more.
struct Dispatch {
  RouteTable routes;
  std::vector<const Instance*> plugins; ///< Route::plugin is a position in it
};

} // namespace switchyard::host
