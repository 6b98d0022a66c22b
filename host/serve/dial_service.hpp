#pragma once

#include <switchyard/dial.h>

namespace switchyard::host {

/// Our side of sy_dial. LoopServices::context of the instances it is given to is a Loops.
extern const sy_dial kDialService;

} // namespace switchyard::host
