#include <host/check/cases.hpp>
#include <host/plugin/elf.hpp>
#include <host/plugin/probe.hpp>
#include <host/plugin/staging.hpp>
#include <host/plugin/verify.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>

namespace switchyard::host {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr auto kProbeLimit = 5s; ///< limits.probe_timeout, as it is by default
constexpr std::size_t kLongString = 1 << 20;
constexpr int kDeep = 30; ///< tables in tables

/// What ABI.md forbids and an import shows; what to do instead.
constexpr std::array<std::array<std::string_view, 2>, 12> kForbidden{{
    {"signal", "signals are the host's"},
    {"sigaction", "signals are the host's"},
    {"pthread_sigmask", "signals are the host's"},
    {"sigprocmask", "signals are the host's"},
    {"fork", "a child would have a copy of everything the host has open"},
    {"vfork", "a child would have a copy of everything the host has open"},
    {"setenv", "other threads read the environment"},
    {"putenv", "other threads read the environment"},
    {"setlocale", "the locale is everybody's"},
    {"chdir", "the working directory is everybody's"},
    {"umask", "the file mode mask is everybody's"},
    {"pthread_key_create",
     "a destructor for a thread of the host would point into code that has gone"},
}};

std::string absolute(const std::string& file) {
  std::error_code unknown;
  const auto path = fs::absolute(file, unknown);
  return unknown ? file : path.lexically_normal().string();
}

bool contains(std::span<const std::byte> bytes, std::string_view words) {
  const std::string_view text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  return text.find(words) != text.npos;
}

/// The sentence without "plugin NAME: " in front: the report is about one plugin.
std::string without_name(const Refusal& refusal, const std::string& name) {
  const auto prefix = "plugin " + name + ": ";
  return refusal.text.starts_with(prefix) ? refusal.text.substr(prefix.size()) : refusal.text;
}

std::vector<std::array<std::string, 2>> strange_configurations() {
  std::string deep = "{}";
  for (int level = 0; level < kDeep; ++level)
    deep = R"({"a":)" + deep + "}";
  return {
      {"an unknown setting", R"({"no-plugin-has-such-a-setting":1})"},
      {"a setting of a megabyte", R"({"a":")" + std::string(kLongString, 'a') + R"("})"},
      {"tables thirty deep", deep},
      {"names and values beyond ASCII",
       R"({"\u0000\u00e9":"\ud83d\ude00\u0001","":[null,-1e300,18446744073709551615]})"},
  };
}

} // namespace

std::optional<Examined> examine_file(const PluginCheck& trial, CaseResult& result) {
  const auto path = absolute(trial.file);
  const auto name = fs::path{path}.filename().string();
  auto staging = StagingDirectory::temporary();
  if (!staging) {
    result.find(without_name(staging.error(), name));
    return std::nullopt;
  }
  const auto staged = staging->stage({name, path, "the command line"});
  if (!staged) {
    result.find(without_name(staged.error(), name));
    return std::nullopt;
  }
  const MappedFile file{*staged};
  auto verified = verify_plugin(name, path, file.bytes(), trial.isolation);
  if (!verified) {
    result.find(without_name(verified.error(), name));
    return std::nullopt;
  }

  Examined plugin{
      std::move(verified->manifest),
      std::move(verified->manifest_text),
      std::move(verified->platform),
      contains(file.bytes(), "library/std/src/")};
  const auto elf = read_elf(file.bytes());
  for (const auto& [function, why] : kForbidden) {
    if (plugin.rust || std::ranges::find(elf->imported, function) == elf->imported.end()) continue;
    result.notes.push_back(
        "it imports " + std::string{function} +
        ", which a plugin must not use: " + std::string{why});
  }
  if (!plugin.manifest.id.starts_with("switchyard.") &&
      plugin.manifest.id.find('.') == std::string::npos)
    result.notes.push_back(
        "its id \"" + plugin.manifest.id +
        "\" may be another's, too: begin it with a domain of yours, such as com.example." +
        plugin.manifest.id);
  result.did = std::to_string(file.bytes().size() / 1024) + " KiB, " + plugin.manifest.id + ' ' +
               plugin.manifest.version;
  return plugin;
}

void try_configurations(const PluginCheck& trial, const Examined& plugin, CaseResult& result) {
  const auto path = absolute(trial.file);
  const auto name = fs::path{path}.filename().string();
  auto staging = StagingDirectory::temporary();
  if (!staging) return result.find(staging.error().text);
  auto staged = staging->stage({name, path, "the command line"});
  if (!staged) return result.find(staged.error().text);
  if (staged->name(plugin.manifest.id, plugin.manifest.version, 1) == 0)
    return result.find("its copy in " + staging->path() + " cannot be named");

  ProbeRequest request{
      .plugin = name,
      .path = path,
      .staged = staged->path(),
      .manifest = plugin.manifest_text,
      .platform = plugin.platform,
      .config = trial.config,
      .config_place = "--config"};
  if (const auto taken = probe_plugin(request, kProbeLimit); !taken)
    return result.find(without_name(taken.error(), name));

  std::size_t tried = 1;
  for (const auto& [what, config] : strange_configurations()) {
    ++tried;
    request.config = config;
    request.config_place = "a configuration with " + what;
    const auto taken = probe_plugin(request, kProbeLimit);
    if (taken) {
      if (tried == 2)
        result.notes.push_back(
            "check_config() takes a setting that it cannot know: refuse it, or a misspelled one is "
            "never found");
      continue;
    }
    using enum RefusalCode;
    const auto code = taken.error().code;
    if (code == ProbeSignal || code == ProbeHang || code == ProbeExit)
      result.find("with " + what + ": " + without_name(taken.error(), name));
  }
  result.did = std::to_string(tried) + " configurations";
}

} // namespace switchyard::host
