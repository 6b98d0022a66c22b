#pragma once

#include <boost/system/result.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace switchyard::host {

/// A plugin's project, to be made out of a template of the SDK.
struct ProjectOrder {
  std::string id;               ///< of the plugin: "com.example.hello"
  std::string language;         ///< folder of the template: "c", "cpp" or "rust"
  std::filesystem::path folder; ///< where it goes; must not exist, or be empty
};

/// The last word of a plugin's id: name of its project, its file and its protocol.
[[nodiscard]] std::string_view project_name(std::string_view id) noexcept;

/// Why `id` cannot be that of a new project, in words that follow it; empty when it can.
[[nodiscard]] std::string project_id_fault(std::string_view id);

/// `text` with @name@, @id@, @abi@, @abi_major@ and @abi_minor@ filled in. Other words between two
/// @ stay. Pure.
[[nodiscard]] std::string fill_template(std::string_view text, std::string_view id);

/// Where the templates are for `program`: ../share/switchyard/template, seen from it.
[[nodiscard]] std::filesystem::path
template_root(const std::filesystem::path& program = "/proc/self/exe");

/// Makes the project; returns its files, relative to the folder and sorted. A sentence when it
/// cannot, and then nothing is left of it.
[[nodiscard]] boost::system::result<std::vector<std::string>, std::string>
make_project(const ProjectOrder& order, const std::filesystem::path& templates);

} // namespace switchyard::host
