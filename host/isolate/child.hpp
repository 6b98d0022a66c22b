#pragma once

namespace switchyard::host {

/// The process of an isolated plugin, for main(): reads its request from descriptor 0, serves what
/// comes on kIsolatedControl and ends when it is told to, or when that ends.
[[noreturn]] void run_isolated();

} // namespace switchyard::host
