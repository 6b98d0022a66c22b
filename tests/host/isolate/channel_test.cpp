#include <host/isolate/channel.hpp>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace switchyard::host {
namespace {

using Heard = Channel::Heard;
using Sent = Channel::Sent;

struct stat identity(int descriptor) {
  struct stat found {};

  ::fstat(descriptor, &found);
  return found;
}

TEST(Channel, KeepsMessagesApart) {
  const auto [ours, theirs] = Channel::pair();
  EXPECT_EQ(theirs.receive().heard, Heard::Nothing);
  EXPECT_EQ(ours.send(Answer{SY_OK, "one"}), Sent::Whole);
  EXPECT_EQ(ours.send(Drained{}), Sent::Whole);
  const auto first = theirs.receive();
  ASSERT_EQ(first.heard, Heard::Whole);
  EXPECT_EQ(first.message, Message{(Answer{SY_OK, "one"})});
  EXPECT_FALSE(first.descriptor.open());
  EXPECT_EQ(theirs.receive().message, Message{Drained{}});
  EXPECT_EQ(theirs.receive().heard, Heard::Nothing);
}

TEST(Channel, CarriesADescriptor) {
  const auto [ours, theirs] = Channel::pair();
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  const FileDescriptor reader{pipe[0]};
  const FileDescriptor writer{pipe[1]};
  EXPECT_EQ(ours.send(LaneOpened{}, reader.get()), Sent::Whole);
  const auto received = theirs.receive();
  ASSERT_EQ(received.heard, Heard::Whole);
  ASSERT_TRUE(received.descriptor.open());
  EXPECT_NE(received.descriptor.get(), reader.get());
  EXPECT_EQ(identity(received.descriptor.get()).st_ino, identity(reader.get()).st_ino);
  EXPECT_EQ(::fcntl(received.descriptor.get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

TEST(Channel, TakesOneDescriptorAMessage) {
  const auto [ours, theirs] = Channel::pair();
  const auto bytes = encode(Drained{});
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  const std::array<int, 2> numbers{ours.descriptor(), theirs.descriptor()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof numbers)> rights{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = rights.data();
  header.msg_controllen = rights.size();
  auto* control = CMSG_FIRSTHDR(&header);
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = SCM_RIGHTS;
  control->cmsg_len = CMSG_LEN(sizeof numbers);
  std::memcpy(CMSG_DATA(control), numbers.data(), sizeof numbers);
  ASSERT_GT(::sendmsg(ours.descriptor(), &header, 0), 0);

  const int lowest = ::dup(0); // what is open now, and after
  ::close(lowest);
  {
    const auto received = theirs.receive();
    EXPECT_EQ(received.heard, Heard::Whole);
    EXPECT_EQ(received.descriptor.get(), lowest);
  }
  const int after = ::dup(0);
  EXPECT_EQ(after, lowest) << "none of the two is left";
  ::close(after);
}

TEST(Channel, SaysWhenTheOtherSideDoesNotRead) {
  const auto [ours, theirs] = Channel::pair();
  const LogLine line{SY_LOG_INFO, std::string(1000, 'x')};
  auto sent = Sent::Whole;
  for (int number = 0; number < 100'000 && sent == Sent::Whole; ++number)
    sent = ours.send(line);
  EXPECT_EQ(sent, Sent::Later);
  EXPECT_EQ(theirs.receive().message, Message{line}) << "what was sent is whole";
}

TEST(Channel, SaysWhenThereIsNoOtherSide) {
  auto pair = Channel::pair();
  pair.theirs = Channel{};
  EXPECT_EQ(pair.ours.send(Drained{}), Sent::Never);
  EXPECT_EQ(pair.ours.receive().heard, Heard::End);
}

TEST(Channel, TakesNothingThatIsNoMessage) {
  const auto [ours, theirs] = Channel::pair();
  for (const auto& bytes : {std::string{"\xff"}, std::string(kMessageMax + 1, '\x04')}) {
    ASSERT_EQ(
        ::send(ours.descriptor(), bytes.data(), bytes.size(), 0),
        static_cast<ssize_t>(bytes.size()));
    EXPECT_EQ(theirs.receive().heard, Heard::Fault);
  }
}

} // namespace
} // namespace switchyard::host
