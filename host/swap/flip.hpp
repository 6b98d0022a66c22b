#pragma once

#include <host/plugin/refusal.hpp>
#include <host/swap/surroundings.hpp>

namespace switchyard::host {

class Generations;
class Instance;

/// The candidate of `plugin` takes the place of the generation that serves, which is warm then:
/// what it has registered with others, leases on its interfaces, and new connections, each in one
/// step. On failure all is as before, but for a candidate that a stuck loop may still lead to.
[[nodiscard]] OrRefusal<void> flip(const SwapSurroundings& around, Generations& plugin);

/// The warm generation serves again, and the one after it leaves. False when a loop that is stuck
/// may still lead to that one.
[[nodiscard]] bool flip_back(const SwapSurroundings& around, Generations& plugin);

/// The generation of `plugin` that serves stays, after one that served (null: none did): the next
/// start knows it. Said in the log when it will not.
void commit(const SwapSurroundings& around, Generations& plugin, const Instance* before);

} // namespace switchyard::host
