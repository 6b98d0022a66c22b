// Property: any text is a Config or a non-empty, ordered list of problems, and the JSON handed to a
// plugin stays valid UTF-8 text of one object.
#include <host/config/parse.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace switchyard::host;
  const auto config = parse({reinterpret_cast<const char*>(data), size}, "fuzz.toml");
  if (config) {
    if (config->listeners.empty()) std::abort();
    for (const auto& plugin : config->plugins) {
      if (plugin.library.empty() || plugin.config.front() != '{') std::abort();
    }
    return 0;
  }
  const auto& problems = config.error().problems;
  if (problems.empty() || !std::ranges::is_sorted(problems, {}, &Problem::line)) std::abort();
  if (describe(config.error()).empty()) std::abort();
  return 0;
}
