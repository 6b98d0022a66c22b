#pragma once

#include <host/plugin/refusal.hpp>
#include <host/swap/surroundings.hpp>

namespace switchyard::host {

class Generations;
class HandOver;
class Instance;

/// The candidate of `plugin`, which has started, begins its work; an exclusive one by `hand_over`
/// (else null). It has everything that others have registered, or is refused.
[[nodiscard]] OrRefusal<void> begin_work(Generations& plugin, HandOver* hand_over);

/// `fresh` says three times in a row that it is well. After a call that hangs it is given up.
[[nodiscard]] OrRefusal<void> prove_well(Instance& fresh);

/// Ends the candidate because of `why`, and the generation that serves goes on. What is said of it:
/// `why`, or more when that has let go and cannot go on, which leaves nobody to serve.
[[nodiscard]] Refusal withdraw(
    const SwapSurroundings& around, Generations& plugin, HandOver& hand_over, const Refusal& why);

} // namespace switchyard::host
