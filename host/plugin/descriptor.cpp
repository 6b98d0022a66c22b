#include <host/plugin/descriptor.hpp>
#include <host/services/failure.hpp>

#include <boost/json/parse.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <string>

namespace switchyard::host {
namespace {

using enum RefusalCode;

std::string hex(std::uint32_t number) {
  std::array<char, 11> text{};
  std::snprintf(text.data(), text.size(), "0x%08x", number);
  return text.data();
}

/// What is wrong with the numbers; nothing behind them is to be trusted then.
std::optional<std::string> wrong_numbers(const sy_plugin& descriptor, const Manifest& manifest) {
  if (descriptor.magic != SY_PLUGIN_MAGIC) {
    return "magic is " + hex(descriptor.magic) + " and not SY_PLUGIN_MAGIC";
  }
  if (descriptor.abi_major != manifest.abi_major || descriptor.abi_minor != manifest.abi_minor) {
    return "its ABI is " + std::to_string(descriptor.abi_major) + '.' +
           std::to_string(descriptor.abi_minor) + ", not that of its manifest";
  }
  if (descriptor.struct_size < sizeof(sy_plugin)) {
    return "struct_size is " + std::to_string(descriptor.struct_size) + " and not " +
           std::to_string(sizeof(sy_plugin));
  }
  if (descriptor.flags != 0) return "flags is " + hex(descriptor.flags) + " and not 0";
  return std::nullopt;
}

/// The first function that has to be there and is not.
std::optional<std::string> missing_function(const sy_plugin& descriptor, const Manifest& manifest) {
  const auto clear_descriptors = std::ranges::any_of(
      manifest.protocols, [](const auto& p) { return p.mode == ServeMode::Descriptor; });

  const struct {
    const char* name;
    bool there;
  } functions[] = {
      {"init", descriptor.init != nullptr},
      {"start", descriptor.start != nullptr},
      {"activate", descriptor.activate != nullptr},
      {"serve", descriptor.serve != nullptr || manifest.protocols.empty()},
      {"serve_descriptor", descriptor.serve_descriptor != nullptr || !clear_descriptors},
      {"health", descriptor.health != nullptr},
      {"drain", descriptor.drain != nullptr},
      {"abort_all", descriptor.abort_all != nullptr},
      {"stop", descriptor.stop != nullptr},
      {"destroy", descriptor.destroy != nullptr},
      {"query", descriptor.query != nullptr || manifest.provides.empty()},
      {"quiesce", descriptor.quiesce != nullptr || !manifest.exclusive},
      {"take_over", descriptor.take_over != nullptr || !manifest.exclusive},
  };

  for (const auto& function : functions) {
    if (!function.there) return std::string{function.name} + " is NULL";
  }
  return std::nullopt;
}

bool is_empty_table(std::string_view config) {
  boost::system::error_code ec;
  const auto value = boost::json::parse({config.data(), config.size()}, ec);
  return !ec && value.is_object() && value.get_object().empty();
}

} // namespace

OrRefusal<void> check_descriptor(
    std::string_view plugin,
    std::string_view path,
    const sy_plugin& descriptor,
    const VerifiedPlugin& verified) {
  if (const auto wrong = wrong_numbers(descriptor, verified.manifest)) {
    return refuse(DescriptorInvalid, plugin, {path, *wrong});
  }

  const struct {
    const char* name;
    const char* said;
    std::string_view noted;
  } texts[] = {
      {"id", descriptor.id, verified.manifest.id},
      {"version", descriptor.version, verified.manifest.version},
      {"manifest", descriptor.manifest, verified.manifest_text},
  };

  for (const auto& text : texts) {
    if (text.said == nullptr) {
      return refuse(DescriptorInvalid, plugin, {path, std::string{text.name} + " is NULL"});
    }
    if (text.said != text.noted) {
      return refuse(DescriptorDiffers, plugin, {path, text.name, text.said, text.noted});
    }
  }
  if (const auto missing = missing_function(descriptor, verified.manifest)) {
    return refuse(DescriptorInvalid, plugin, {path, *missing});
  }
  return {};
}

OrRefusal<void> check_config(
    std::string_view plugin,
    std::string_view place,
    const sy_plugin& descriptor,
    std::string_view config) {
  if (descriptor.check_config == nullptr) {
    if (is_empty_table(config)) return {};
    return refuse(ConfigNotTaken, plugin, {place});
  }
  sy_error error{.struct_size = sizeof(sy_error), .code = SY_OK, .text = {}};
  if (descriptor.check_config({config.data(), config.size()}, &error) == SY_OK) return {};
  return refuse(ConfigRefused, plugin, {place, said(error)});
}

} // namespace switchyard::host
