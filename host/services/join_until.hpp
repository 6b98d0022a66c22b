#pragma once

#include <chrono>
#include <thread>

namespace switchyard::host {

/// Waits for the end of `thread`, and of everything that is thread_local on it, at most until
/// `deadline`. False: it runs on, left behind.
[[nodiscard]] bool join_until(std::thread thread, std::chrono::steady_clock::time_point deadline);

} // namespace switchyard::host
