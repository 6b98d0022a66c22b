#pragma once

#include <sys/types.h>

#include <mutex>
#include <unordered_map>

namespace switchyard::grpc {

/// The sockets that gRPC was given. It closes them without a word; that is found out by asking the
/// system whether the number still means the same socket. Any thread.
class Descriptors {
public:
  void add(int descriptor);

  /// True while one of them is open.
  [[nodiscard]] bool any_open();

private:
  std::mutex mutex_;
  std::unordered_map<int, ino_t> inodes_; ///< by number: what it meant last
};

} // namespace switchyard::grpc
