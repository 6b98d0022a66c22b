#pragma once

#include <tests/proto/wire.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

namespace switchyard::test {

/// Contents of the calls recorded from a real Consul 1.8.7 whose names end in `direction`, by name:
/// ".c2s.bin" for requests, ".s2c.bin" for answers.
inline std::map<std::string, Bytes> recordings(std::string_view direction) {
  std::map<std::string, Bytes> found;
  const std::filesystem::path folder = SWITCHYARD_SOURCE_DIR "/tests/vectors/consul-1.8.7/rpc";
  for (const auto& file : std::filesystem::directory_iterator{folder}) {
    const auto name = file.path().filename().string();
    if (!name.ends_with(direction)) continue;
    std::ifstream in{file.path(), std::ios::binary};
    auto& bytes = found[name];
    for (auto i = std::istreambuf_iterator<char>{in}; i != std::istreambuf_iterator<char>{}; ++i) {
      bytes.push_back(static_cast<std::byte>(*i));
    }
  }
  return found;
}

} // namespace switchyard::test
