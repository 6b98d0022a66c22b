#pragma once

#include <switchyard/plugin.h>

#include <host/plugin/refusal.hpp>
#include <host/plugin/verify.hpp>

#include <string_view>

namespace switchyard::host {

/// Judges what a loaded plugin exports against what its note said: of this ABI, the same id,
/// version and manifest, and every function there that may not be NULL.
[[nodiscard]] OrRefusal<void> check_descriptor(
    std::string_view plugin,
    std::string_view path,
    const sy_plugin& descriptor,
    const VerifiedPlugin& verified);

/// Judges `config` (JSON) by the plugin's check_config, with `place` as where it stands. Calls into
/// the plugin.
[[nodiscard]] OrRefusal<void> check_config(
    std::string_view plugin,
    std::string_view place,
    const sy_plugin& descriptor,
    std::string_view config);

} // namespace switchyard::host
