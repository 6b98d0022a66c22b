#pragma once

#include <host/config/config.hpp>

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>

namespace switchyard::host {

class Instance;

/// Sees a generation out of the process: it drains, for at most limits.drain_timeout, then its
/// connections are cut, and it is stopped. `gone` is told at the end, on the thread of `context`,
/// where all of this runs. When `wanted` has expired nothing more is done: the server ends, and
/// does it itself. `generation` lives until then.
void depart(
    const std::shared_ptr<boost::asio::io_context>& context,
    Instance& generation,
    const Limits& limits,
    std::weak_ptr<const void> wanted,
    std::function<void()> gone);

} // namespace switchyard::host
