#include "project.hpp"

#include <switchyard/version.h>

#include <host/file/new_file.hpp>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>
#include <utility>

namespace switchyard::host {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kIdMax = 64; // as in a manifest

/// Names that a build system or a language keeps for itself, or that a template uses.
constexpr std::array<std::string_view, 16> kTaken{
    "all",
    "check",
    "clean",
    "core",
    "edit_cache",
    "greeting",
    "greeting_test",
    "help",
    "install",
    "package",
    "plugin",
    "rebuild_cache",
    "rust",
    "std",
    "test",
    "switchyard"};

bool is_word(std::string_view word, std::string_view besides) {
  const auto fits = [besides](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || besides.find(c) != besides.npos;
  };
  return !word.empty() && std::ranges::all_of(word, fits);
}

bool begins_with_letter(std::string_view word) {
  return !word.empty() && word.front() >= 'a' && word.front() <= 'z';
}

std::string_view filled(std::string_view key, std::string_view id) {
  static const auto major = std::to_string(SY_ABI_MAJOR);
  static const auto minor = std::to_string(SY_ABI_MINOR);
  static const auto abi = major + '.' + minor;
  if (key == "@name@") return project_name(id);
  if (key == "@id@") return id;
  if (key == "@abi@") return abi;
  if (key == "@abi_major@") return major;
  if (key == "@abi_minor@") return minor;
  return key;
}

std::optional<std::string> read(const fs::path& file) {
  std::ifstream from{file, std::ios::binary};
  if (!from) return std::nullopt;
  return std::string{std::istreambuf_iterator<char>{from}, {}};
}

/// Fills the files of `from` into `folder`; a sentence when one cannot be read or written.
std::optional<std::string> copy_filled(
    const fs::path& from,
    const fs::path& folder,
    std::string_view id,
    std::vector<std::string>& files) {
  std::error_code ec;
  for (fs::recursive_directory_iterator at{from, ec}, end; !ec && at != end; at.increment(ec)) {
    const auto name = at->path().lexically_relative(from);
    if (at->is_directory()) continue;
    const auto text = read(at->path());
    if (!text) return at->path().string() + " cannot be read";
    const auto into = folder / name;
    fs::create_directories(into.parent_path(), ec);
    if (ec) break;
    const auto written = write_file(into.string(), fill_template(*text, id), 0644, Existing::Keep);
    if (!written) return into.string() + " cannot be written: " + written.error().message();
    files.push_back(name.string());
  }
  if (ec) return folder.string() + " cannot be made: " + ec.message();
  return std::nullopt;
}

} // namespace

std::string_view project_name(std::string_view id) noexcept {
  return id.substr(id.rfind('.') + 1);
}

std::string project_id_fault(std::string_view id) {
  constexpr auto kForm = "is not lower-case words joined by dots, such as com.example.hello";
  if (id.size() > kIdMax) return "is longer than " + std::to_string(kIdMax) + " bytes";
  if (!begins_with_letter(id)) return kForm;
  const auto name = project_name(id);
  for (auto rest = id.substr(0, id.size() - name.size()); !rest.empty();) {
    const auto dot = rest.find('.');
    if (!is_word(rest.substr(0, dot), "_-")) return kForm;
    rest.remove_prefix(dot + 1);
  }
  if (!is_word(name, "_") || !begins_with_letter(name))
    return "ends in \"" + std::string{name} +
           "\", which no file of C or Rust can be named after: take letters, digits and _";
  if (std::ranges::find(kTaken, name) != kTaken.end())
    return "ends in \"" + std::string{name} + "\", which means something else in a build";
  return {};
}

std::string fill_template(std::string_view text, std::string_view id) {
  std::string result;
  for (;;) {
    const auto begin = text.find('@');
    result += text.substr(0, begin);
    if (begin == text.npos) return result;
    text.remove_prefix(begin);
    const auto end = text.find('@', 1);
    const auto key = end == text.npos ? text.substr(0, 1) : text.substr(0, end + 1);
    const auto value = filled(key, id);
    if (value.data() == key.data()) { // not one of ours; its end may begin one
      result += '@';
      text.remove_prefix(1);
    } else {
      result += value;
      text.remove_prefix(key.size());
    }
  }
}

fs::path template_root(const fs::path& program) {
  std::error_code ec;
  const auto file = fs::canonical(program, ec);
  return (ec ? program : file).parent_path().parent_path() / "share/switchyard/template";
}

boost::system::result<std::vector<std::string>, std::string>
make_project(const ProjectOrder& order, const fs::path& templates) {
  std::error_code ec;
  const auto from = templates / order.language;
  if (!fs::is_directory(from, ec))
    return from.string() + " is not there: install the whole SDK (package switchyard-dev)";
  const auto existed = fs::exists(order.folder, ec);
  if (existed && (!fs::is_directory(order.folder, ec) || !fs::is_empty(order.folder, ec)))
    return order.folder.string() + " is already there: name another folder with --dir";

  std::vector<std::string> files;
  if (auto problem = copy_filled(from, order.folder, order.id, files)) {
    for (const auto& file : files)
      fs::remove(order.folder / file, ec);
    if (!existed) fs::remove_all(order.folder, ec);
    return *std::move(problem);
  }
  std::ranges::sort(files);
  return files;
}

} // namespace switchyard::host
