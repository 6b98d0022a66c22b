#pragma once

#include <string>
#include <vector>

namespace switchyard::host {

class Generations;
class Interfaces;

/// What is known of the end of a generation before it comes.
struct Unloading {
  std::vector<std::string> doubts;     ///< what may keep its code in memory, a clause each
  std::vector<std::string> ends_first; ///< what it has now and cannot leave before: "2 connections"
};

/// Whether the code of the generation of `plugin` that serves could leave the process after a swap.
/// What a plugin is refused for when it is loaded (NODELETE, unique symbols, …) it does not have.
[[nodiscard]] Unloading foresee_unloading(const Generations& plugin, const Interfaces& interfaces);

} // namespace switchyard::host
