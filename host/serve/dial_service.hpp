#pragma once

#include <switchyard/dial.h>

namespace switchyard::host {

struct InstanceServices;

/// Our side of sy_dial. LoopServices::context of the instances it is given to is a Loops.
extern const sy_dial kDialService;

/// LoopServices::cancel_dials, for the same instances.
void cancel_dials(InstanceServices& owner);

} // namespace switchyard::host
