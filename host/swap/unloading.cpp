#include <host/plugin/elf.hpp>
#include <host/plugin/generations.hpp>
#include <host/services/interfaces.hpp>
#include <host/swap/unloading.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <span>
#include <string_view>

namespace switchyard::host {
namespace {

/// How a compiler has the destructor of something thread_local called. The loader keeps an object
/// until those of it have run, at the end of their thread.
constexpr std::array<std::string_view, 2> kThreadLocal{
    "__cxa_thread_atexit", "__cxa_thread_atexit_impl"};

/// Whether the copy that runs imports one of kThreadLocal.
bool has_thread_locals(const std::string& staged) {
  std::ifstream file{staged, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  const auto elf = read_elf(std::as_bytes(std::span{text}));
  return elf && std::ranges::any_of(elf->imported, [](std::string_view name) {
           return std::ranges::find(kThreadLocal, name) != kThreadLocal.end();
         });
}

void count(std::vector<std::string>& list, std::uint64_t number, std::string_view what) {
  if (number == 0) return;
  list.push_back(std::to_string(number) + ' ' + std::string{what} + (number == 1 ? "" : "s"));
}

std::vector<std::string> held(const Instance& serving, const Interfaces& interfaces) {
  const auto& services = serving.services();
  std::vector<std::string> list;
  count(list, services.connections, "connection");
  count(list, serving.calls(), "call");
  count(list, services.dials, "dial");
  count(list, services.timers, "timer");
  count(list, services.posts, "post");
  count(list, services.threads.unjoined(), "thread");
  for (const auto& provided : serving.manifest()->provides) {
    for (const auto& consumer : interfaces.leased_by(provided.interface, serving.handle()))
      list.push_back("a lease of plugin " + consumer + " on " + provided.interface);
  }
  return list;
}

} // namespace

Unloading foresee_unloading(const Generations& plugin, const Interfaces& interfaces) {
  const auto& serving = plugin.serving();
  if (serving.state() != PluginState::Serving) return {};
  Unloading foreseen{{}, held(serving, interfaces)};
  if (serving.isolated()) return foreseen; // its process ends
  if (has_thread_locals(serving.staged())) {
    foreseen.doubts.emplace_back(
        "it has something thread_local with a destructor, which keeps it wherever a loop has "
        "touched it");
  }
  for (const auto& before : plugin.leaving()) {
    if (!before->code_stays() || before->sha256() != serving.sha256()) continue;
    foreseen.doubts.push_back(
        "generation " + std::to_string(before->generation()) +
        ", of the same file, has stayed: " + before->why());
  }
  return foreseen;
}

} // namespace switchyard::host
