#pragma once

#include <host/plugin/plugin_set.hpp>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <tests/host/broken_plugins/bytes.hpp>

#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

namespace switchyard::host {

/// A place of its own for one test: plugins, data directory, configuration, services.
class Yard {
public:
  explicit Yard(std::chrono::milliseconds removal_limit = std::chrono::seconds{30})
      : services{
            {[this](std::string_view plugin, sy_log_level, std::string_view line) {
               const std::lock_guard lock{mutex_};
               lines_.push_back(std::string{plugin} + ' ' + std::string{line});
             },
             [](sy_log_level) { return true; }},
            removal_limit} {
    auto pattern = (std::filesystem::temp_directory_path() / "yard-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    std::filesystem::create_directory(root_ / "plugins");
    config.file = "plugins.toml";
    config.host.plugin_dir = root_ / "plugins";
    config.host.data_dir = root_ / "data";
    config.host.on_plugin_failure = OnPluginFailure::Continue;
    config.limits.probe_timeout = std::chrono::seconds{60}; // sanitizers on a busy machine
    config.limits.control_timeout = std::chrono::seconds{60};
  }

  ~Yard() { std::filesystem::remove_all(root_); }

  Yard(const Yard&) = delete;
  Yard& operator=(const Yard&) = delete;

  [[nodiscard]] std::filesystem::path plugin_dir() const { return root_ / "plugins"; }

  [[nodiscard]] std::filesystem::path data_dir() const { return root_ / "data"; }

  /// Copies a fixture to the plugin directory; its path there.
  std::filesystem::path put(const std::string& fixture) const {
    const auto path = plugin_dir() / (fixture + ".so");
    std::filesystem::copy_file(host::fixture(fixture), path);
    ::chmod(path.c_str(), 0755);
    return path;
  }

  /// Enables "<name>.so" of the plugin directory, ten lines below the one before.
  PluginConfig& enable(const std::string& name) {
    const auto line = static_cast<std::uint32_t>(10 * (config.plugins.size() + 1));
    config.plugins.push_back({name, name + ".so", "{}", {}, {line}});
    return config.plugins.back();
  }

  PluginConfig& put_and_enable(const std::string& fixture) {
    put(fixture);
    return enable(fixture);
  }

  [[nodiscard]] std::vector<std::string> log() const {
    const std::lock_guard lock{mutex_};
    return lines_;
  }

  Config config;
  Services services;

private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
  std::filesystem::path root_;
};

inline std::vector<std::string> texts(const std::vector<Refusal>& refusals) {
  std::vector<std::string> all;
  for (const auto& refusal : refusals)
    all.push_back(refusal.text);
  return all;
}

} // namespace switchyard::host
