#include "guest.hpp"

#include <string_view>
#include <switchyard_manifest.h>

namespace {

using namespace switchyard;

/// What the host calls, in the order of a plugin's life: <switchyard/plugin.hpp> says what else
/// there can be. Normative: ABI.md of the SDK.
class Greeter {
public:
  /// `config` is an empty table: there is no check_config. Nothing goes out from here yet.
  Greeter(Host host, std::string_view) : guests_{host} {}

  void serve(std::uint32_t, Connection connection) { guests_.enter(std::move(connection)); }

  void drain(std::chrono::nanoseconds, DrainDone done) { guests_.drain(done); }

  void abort_all() { guests_.abort(); }

  void stop() { guests_.wait(); }

private:
  Guests guests_;
};

} // namespace

SY_CPP_PLUGIN(Greeter);
