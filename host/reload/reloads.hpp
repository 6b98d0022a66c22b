#pragma once

#include <host/config/config.hpp>
#include <host/control/reply.hpp>
#include <host/route/routes.hpp>
#include <host/swap/surroundings.hpp>

#include <boost/system/result.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace switchyard::host {

class Swaps;

/// What reloads need of the server; all of it outlives them.
struct ReloadSurroundings {
  /// Everything follows what was prepared, from now on; a sentence when a loop is stuck.
  using Follow = std::function<std::optional<std::string>()>;

  SwapSurroundings plugins; ///< a reload assigns to their configuration
  Swaps& swaps;

  /// What prepare() would refuse, a sentence each, without taking anything.
  std::function<std::vector<std::string>(const Config& next, const RouteTable& routes)> judge;

  /// Binds what is new, reads the certificates anew.
  std::function<boost::system::result<Follow, std::vector<std::string>>(
      const Config& next, const RouteTable& routes)>
      prepare;

  /// How each of them has ended, for the log.
  std::function<void(bool failed, const std::string& line)> ended;
};

/// What becomes of versions that `plugin swap` has put in the place of those in the file.
enum class Swapped : std::uint8_t {
  Ask,     ///< a reload is refused when there are any
  Keep,    ///< they go on
  Discard, ///< the file holds again
};

/// Makes a running server follow its configuration file: one transaction over everything that
/// differs. What fails before the flip leaves all as it was; at the flip everything changes at
/// once. One thread: that of the context. A step blocks it, for as long as the limits allow;
/// between the steps other requests are answered. Shapes: host/control/README.md.
class Reloads {
public:
  explicit Reloads(ReloadSurroundings surroundings);
  ~Reloads();
  Reloads(const Reloads&) = delete;
  Reloads& operator=(const Reloads&) = delete;

  /// Begins one. With `dry_run` it ends before anything of it runs in this process. The reply says
  /// the phases that have passed, and is answered after the flip, or as soon as it fails.
  [[nodiscard]] ControlReply reload(Swapped swapped, bool dry_run);

  [[nodiscard]] bool under_way() const noexcept;

  /// The server stops: what has not been flipped is given up.
  void end();

private:
  struct State;
  class Reload;
  std::unique_ptr<State> state_;
};

} // namespace switchyard::host
