#include <plugins/grpc/descriptors.hpp>

#include <sys/stat.h>

namespace switchyard::grpc {
namespace {

/// 0 when it is closed; no socket has that number.
ino_t inode_of(int descriptor) {
  struct stat status {};

  return ::fstat(descriptor, &status) == 0 ? status.st_ino : 0;
}

} // namespace

void Descriptors::add(int descriptor) {
  const auto inode = inode_of(descriptor);
  const std::lock_guard lock{mutex_};
  inodes_[descriptor] = inode;
}

bool Descriptors::any_open() {
  const std::lock_guard lock{mutex_};
  std::erase_if(inodes_, [](const auto& known) { return inode_of(known.first) != known.second; });
  return !inodes_.empty();
}

} // namespace switchyard::grpc
