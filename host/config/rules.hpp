#pragma once

#include <host/config/config.hpp>
#include <host/config/config_error.hpp>

#include <vector>

namespace switchyard::host {

/// Appends what is wrong between settings that are each right by themselves. Pure.
void check_rules(const Config& config, std::vector<Problem>& problems);

} // namespace switchyard::host
