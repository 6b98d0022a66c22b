#pragma once

#include <switchyard/loops.h>

#include <host/serve/stages.hpp>

#include <cstdint>

namespace switchyard::host {

/// The loops of the server behind `host`: what LoopServices::context points at. [any thread]
[[nodiscard]] Loops& loops_of(const sy_host* host) noexcept;

/// What stays on the loop of the calling thread; null elsewhere.
[[nodiscard]] LoopStages* current_loop(const sy_host* host) noexcept;

/// LoopServices::close_connections, for the same instances.
void close_connections(InstanceServices& owner);

/// LoopServices::begin_turns, for the same instances.
void begin_turns(InstanceServices& owner);

/// Our side of sy_loops for `count` loops.
[[nodiscard]] sy_loops make_loop_service(std::uint32_t count) noexcept;

} // namespace switchyard::host
