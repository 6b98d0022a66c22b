#pragma once

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <chrono>

namespace switchyard::host {

/// Runs what is due on `context`, the control thread's, until `reached`; fails after a minute.
template <class Reached>
void run_until(boost::asio::io_context& context, Reached reached) {
  using std::chrono::steady_clock;
  const auto deadline = steady_clock::now() + std::chrono::minutes{1};
  while (!reached()) {
    ASSERT_LT(steady_clock::now(), deadline);
    context.restart();
    context.run_one_for(std::chrono::milliseconds{100});
  }
}

} // namespace switchyard::host
