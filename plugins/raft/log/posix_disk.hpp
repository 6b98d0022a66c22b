#pragma once

#include <plugins/raft/log/disk.hpp>

namespace switchyard::raft {

/// Opens the directory `path`, which exists. Fails with the system's error.
[[nodiscard]] boost::system::result<std::unique_ptr<Disk>> open_directory(const std::string& path);

} // namespace switchyard::raft
