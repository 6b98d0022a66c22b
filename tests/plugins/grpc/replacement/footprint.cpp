#include "footprint.hpp"

#include <filesystem>
#include <fstream>
#include <link.h>
#include <malloc.h>
#include <string>
#include <utility>

namespace switchyard::grpc::test {
namespace {

std::size_t entries(const char* directory) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator{directory})
    ++count;
  return count;
}

/// proc(5), /proc/[pid]/status.
std::size_t kilobytes_resident() {
  std::ifstream status{"/proc/self/status"};
  for (std::string word; status >> word;) {
    std::size_t kilobytes = 0;
    if (word == "VmRSS:" && status >> kilobytes) return kilobytes;
  }
  return 0;
}

} // namespace

Footprint Footprint::now() {
  ::malloc_trim(0);
  return {
      kilobytes_resident(),
      ::mallinfo2().uordblks / 1024,
      entries("/proc/self/task"),
      entries("/proc/self/fd")};
}

std::size_t objects_mapped(std::string_view prefix) {
  auto counted = std::pair{prefix, std::size_t{0}};
  ::dl_iterate_phdr(
      [](dl_phdr_info* object, std::size_t, void* context) {
        auto& [begin, count] = *static_cast<decltype(counted)*>(context);
        if (std::string_view{object->dlpi_name}.starts_with(begin)) ++count;
        return 0;
      },
      &counted);
  return counted.second;
}

} // namespace switchyard::grpc::test
