#include <host/loop/memory_trim.hpp>

#include <chrono>
#include <malloc.h>

namespace switchyard::host {

void MemoryTrim::arm() {
  armed_ = true;
  timer_.expires_after(std::chrono::seconds{1});
  timer_.async_wait([this](boost::system::error_code error) {
    if (error) return; // the loop is going away, and this with it
    armed_ = false;
    if (!policy_.due()) return;
    ::malloc_trim(0);
    policy_.trimmed();
  });
}

} // namespace switchyard::host
