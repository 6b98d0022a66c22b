#include <host/plugin/library.hpp>

#include <boost/assert.hpp>
#include <boost/core/demangle.hpp>

#include <algorithm>
#include <cstdint>
#include <dlfcn.h>
#include <link.h>
#include <mutex>
#include <vector>

namespace switchyard::host {
namespace {

using enum RefusalCode;

/// Takes dlerror's text apart; glibc's words, elf/dl-lookup.c and elf/dl-load.c.
Refusal load_refusal(
    std::string_view plugin, std::string_view path, const std::string& staged, std::string text) {
  constexpr std::string_view kUndefined = "undefined symbol: ";
  constexpr std::string_view kNoLibrary = ": cannot open shared object file: No such file";
  if (const auto at = text.find(kUndefined); at != std::string::npos) {
    const auto symbol = text.substr(at + kUndefined.size());
    const auto name = symbol.substr(0, symbol.find_first_of(" ,\t"));
    return refuse(SymbolUndefined, plugin, {path, boost::core::demangle(name.c_str())});
  }
  if (const auto at = text.find(kNoLibrary); at != std::string::npos) {
    return refuse(LibraryMissing, plugin, {path, text.substr(0, at)});
  }
  if (text.starts_with(staged + ": ")) text.erase(0, staged.size() + 2);
  return refuse(LoadFailed, plugin, {path, text});
}

/// What the loader says of itself and of one path.
struct LoaderView {
  const std::string& path;
  bool mapped = false;
  unsigned long long unloads = 0; ///< objects removed since the process began

  explicit LoaderView(const std::string& looked_for) : path{looked_for} {
    dl_iterate_phdr(
        [](dl_phdr_info* object, std::size_t, void* context) {
          auto& view = *static_cast<LoaderView*>(context);
          view.unloads = object->dlpi_subs;
          view.mapped |= view.path == object->dlpi_name;
          return 0;
        },
        this);
  }
};

} // namespace

OrRefusal<Library> Library::open(
    std::string_view plugin,
    std::string_view path,
    const std::string& staged,
    std::span<const std::string> platform) {
  using boost::dll::load_mode::rtld_local;
  using boost::dll::load_mode::rtld_now;
  dlerror();
  for (const auto& soname : platform) {
    // Boost.DLL knows no such flag; the handle is never closed.
    if (::dlopen(soname.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) == nullptr) {
      return load_refusal(plugin, path, staged, dlerror());
    }
  }
  Library opened;
  boost::dll::fs::error_code ec;
  opened.library_.load(staged, ec, rtld_now | rtld_local);
  if (ec) {
    const char* text = dlerror();
    return load_refusal(plugin, path, staged, text != nullptr ? text : ec.message());
  }
  opened.staged_ = staged;
  return opened;
}

const sy_plugin& Library::descriptor() const {
  return library_.get<const sy_plugin>(SY_PLUGIN_SYMBOL);
}

std::span<const std::byte> Library::code() const {
  struct Found {
    const std::string& path;
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
  } found{staged_};

  dl_iterate_phdr(
      [](dl_phdr_info* object, std::size_t, void* context) {
        auto& wanted = *static_cast<Found*>(context);
        if (wanted.path != object->dlpi_name) return 0;
        wanted.begin = object->dlpi_addr;
        for (int i = 0; i < object->dlpi_phnum; ++i) {
          const auto& part = object->dlpi_phdr[i];
          if (part.p_type != PT_LOAD) continue;
          wanted.end = std::max(wanted.end, object->dlpi_addr + part.p_vaddr + part.p_memsz);
        }
        return 1;
      },
      &found);
  return {reinterpret_cast<const std::byte*>(found.begin), found.end - found.begin};
}

bool Library::unload() {
  const LoaderView before{staged_};
  BOOST_ASSERT(before.mapped);
  library_.unload();
  const LoaderView after{staged_};
  return !after.mapped && after.unloads > before.unloads;
}

void Library::retain() {
  // Never destroyed: a destructor would close them.
  static auto& mutex = *new std::mutex;
  static auto& retained = *new std::vector<boost::dll::shared_library>;
  const std::lock_guard lock{mutex};
  retained.push_back(std::move(library_));
}

} // namespace switchyard::host
