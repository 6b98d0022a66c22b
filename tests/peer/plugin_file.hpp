#pragma once

#include <switchyard/plugin.h>

#include <dlfcn.h>
#include <link.h>
#include <stdexcept>
#include <string>
#include <utility>

namespace switchyard::peer {

/// How many objects this process has unloaded so far; what dlclose() does not say.
[[nodiscard]] inline unsigned long long objects_unloaded() {
  unsigned long long subs = 0;
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* out) {
        *static_cast<unsigned long long*>(out) = info->dlpi_subs;
        return 1;
      },
      &subs);
  return subs;
}

/// A plugin's file, loaded as a host does it.
class PluginFile {
public:
  explicit PluginFile(const std::string& path)
      : handle_{::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)} {
    if (handle_ == nullptr) throw std::runtime_error{::dlerror()};
  }

  ~PluginFile() {
    if (handle_ != nullptr) ::dlclose(handle_);
  }

  PluginFile(const PluginFile&) = delete;
  PluginFile& operator=(const PluginFile&) = delete;

  const sy_plugin* operator->() const {
    return static_cast<const sy_plugin*>(::dlsym(handle_, SY_PLUGIN_SYMBOL));
  }

  /// True when its code has really left the process.
  [[nodiscard]] bool unload() {
    const auto before = objects_unloaded();
    ::dlclose(std::exchange(handle_, nullptr));
    return objects_unloaded() == before + 1;
  }

private:
  void* handle_;
};

} // namespace switchyard::peer
