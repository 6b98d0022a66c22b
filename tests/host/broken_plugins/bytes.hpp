#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>

namespace switchyard::host {

/// A plugin that CMakeLists.txt here builds.
inline std::filesystem::path fixture(const std::string& name) {
  return std::filesystem::path{FIXTURES} / (name + ".so");
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

inline void write_file(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream{path, std::ios::binary | std::ios::trunc}.write(
      bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

inline std::span<const std::byte> as_span(const std::string& bytes) {
  return std::as_bytes(std::span{bytes});
}

} // namespace switchyard::host
