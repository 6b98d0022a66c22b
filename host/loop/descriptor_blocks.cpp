#include <host/loop/descriptor_blocks.hpp>

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <fcntl.h>
#include <unistd.h>
#include <vector>

namespace switchyard::host {

void DescriptorBlocks::grow() {
  // Asio takes descriptors that epoll refuses, as those of files (EPERM), and so the same one many
  // times. All at once: each needs a record of its own.
  const int file = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  std::vector<boost::asio::posix::basic_stream_descriptor<Loop::Executor>> block;
  block.reserve(kBlock);
  boost::system::error_code error;
  while (!error && block.size() < kBlock)
    block.emplace_back(loop_.executor()).assign(file, error);
  if (!error) reserved_ += kBlock;
  for (auto& descriptor : block) {
    if (descriptor.is_open()) descriptor.release();
  }
  ::close(file);
}

} // namespace switchyard::host
