// Property: what is accepted can be used without another look: names that are safe in a path and a
// log line, none of them twice.
#include <host/plugin/manifest.hpp>

#include <algorithm>
#include <cstdlib>
#include <set>

namespace {

void expect_name(const std::string& name) {
  const auto safe = std::ranges::all_of(
      name, [](char c) { return c > ' ' && c < 0x7f && c != '\\' && c != '"'; });
  if (!safe || name.empty() || name.size() > 255 || name.find("..") != std::string::npos) {
    std::abort();
  }
}

template <class Entries, class Name>
void expect_distinct(const Entries& entries, Name name) {
  std::set<std::string> names;
  for (const auto& entry : entries) {
    expect_name(entry.*name);
    if (!names.insert(entry.*name).second) std::abort();
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace switchyard::host;
  const auto manifest = parse_manifest({reinterpret_cast<const char*>(data), size});
  if (!manifest) {
    if (manifest.error().clause.empty()) std::abort();
    return 0;
  }
  expect_name(manifest->id);
  expect_name(manifest->version);
  if ((manifest->id + manifest->version).find('/') != std::string::npos) std::abort();
  expect_distinct(manifest->protocols, &Protocol::name);
  expect_distinct(manifest->provides, &ProvidedInterface::interface);
  expect_distinct(manifest->requires_, &RequiredInterface::interface);
  return 0;
}
