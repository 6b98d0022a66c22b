#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

namespace switchyard::host {

/// A call of the host into a plugin that is under way on a thread.
struct Boundary {
  std::string_view function; ///< "serve()"; empty: there is none
  std::string_view plugin;   ///< its name in plugins.toml
};

/// Of the calling thread. Read by the handler of a fatal signal.
inline thread_local constinit Boundary current_boundary{};

/// Marks a call into a plugin for its time; both texts live as long as it.
class BoundaryCrossed {
public:
  BoundaryCrossed(std::string_view function, std::string_view plugin) noexcept
      : before_{std::exchange(current_boundary, {function, plugin})} {}

  ~BoundaryCrossed() { current_boundary = before_; }

  BoundaryCrossed(const BoundaryCrossed&) = delete;
  BoundaryCrossed& operator=(const BoundaryCrossed&) = delete;

private:
  const Boundary before_;
};

} // namespace switchyard::host
