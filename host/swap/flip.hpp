#pragma once

#include <host/plugin/refusal.hpp>
#include <host/swap/surroundings.hpp>

namespace switchyard::host {

class Generations;
class Instance;

/// The candidate of `plugin` takes over what the generation that serves has registered with others,
/// leases on its interfaces, and its role; that one is warm then. New connections still go to the
/// warm one, until loops follow. On failure all is as before.
[[nodiscard]] OrRefusal<void> change_hands(const SwapSurroundings& around, Generations& plugin);

/// Undoes it: the warm generation has it all again, and the one after it leaves.
void change_hands_back(Generations& plugin);

/// The candidate of `plugin` takes the place of the generation that serves, which is warm then:
/// change_hands(), and new connections, each in one step. On failure all is as before, but for a
/// candidate that a stuck loop may still lead to.
[[nodiscard]] OrRefusal<void> flip(const SwapSurroundings& around, Generations& plugin);

/// The warm generation serves again, and the one after it leaves. False when a loop that is stuck
/// may still lead to that one.
[[nodiscard]] bool flip_back(const SwapSurroundings& around, Generations& plugin);

/// The generation of `plugin` that serves is on trial: a crash from now on is held against it.
void begin_trial(const SwapSurroundings& around, const Generations& plugin);

/// The generation of `plugin` that serves stays, after one that served (null: none did): the next
/// start knows it. Said in the log when it will not.
void commit(const SwapSurroundings& around, Generations& plugin, const Instance* before);

} // namespace switchyard::host
