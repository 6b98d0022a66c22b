#pragma once

#include <switchyard/status.h>

#include <host/plugin/control_thread.hpp>
#include <host/plugin/refusal.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace switchyard::host {

/// Calls `body` on the control thread for at most `limit`; `function` ("init()") is what a sentence
/// calls it. Every way in which it can go wrong becomes a refusal: CallFailed with what it says in
/// the error it gets, CallThrew, CallHung. After CallHung it still runs, so `body` owns what it
/// uses.
[[nodiscard]] OrRefusal<void> control_call(
    ControlThread& control,
    std::chrono::milliseconds limit,
    std::string_view plugin,
    std::string_view function,
    std::function<sy_status(sy_error* error)> body);

/// "5 s", "300 ms"
[[nodiscard]] std::string duration_text(std::chrono::milliseconds time);

} // namespace switchyard::host
