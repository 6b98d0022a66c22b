// Property: a segment is read through its window as it would be from memory, whatever is in it.
#include <plugins/raft/log/error.hpp>
#include <plugins/raft/log/record.hpp>
#include <plugins/raft/log/segment.hpp>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace {

using namespace switchyard::raft;
using Bytes = std::vector<std::byte>;
using Places = std::vector<std::pair<std::size_t, std::size_t>>; ///< offset and size of records

class InMemory final : public File {
public:
  explicit InMemory(Bytes bytes) : bytes_{std::move(bytes)} {}

  boost::system::result<std::uint64_t> size() override { return bytes_.size(); }

  boost::system::result<std::size_t>
  read(std::uint64_t offset, std::span<std::byte> into) override {
    const auto count = offset < bytes_.size() ? std::min(into.size(), bytes_.size() - offset) : 0;
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), count, into.begin());
    return count;
  }

  boost::system::result<void> write(std::uint64_t, std::span<const std::byte>) override {
    return LogError::Failed;
  }

  boost::system::result<void> resize(std::uint64_t) override { return LogError::Failed; }

  boost::system::result<void> sync() override { return LogError::Failed; }

  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

private:
  Bytes bytes_;
};

/// Up to four entries, of a size and of zeros or not as the input says; one byte of all is changed,
/// and what is left of the input follows.
InMemory made(std::span<const std::byte> input) {
  const auto take = [&input]() -> std::size_t {
    if (input.empty()) return 0;
    const auto byte = std::to_integer<std::size_t>(input.front());
    input = input.subspan(1);
    return byte;
  };
  const auto header = segment_header(1);
  Bytes bytes{header.begin(), header.end()};
  for (auto count = take() % 5; count > 0; --count) {
    const auto length = take();
    const auto size =
        length < 224 ? length : (length - 223) << 16; // few are larger than the window
    const std::string data(size, take() % 2 == 0 ? '\0' : 'x');
    const switchyard::raftwire::Entry entry{
        take(), take(), switchyard::raftwire::EntryType::Command, data, {}};
    append_record(bytes, {RecordKind::Entry, entry, static_cast<std::uint32_t>(take())});
  }
  const auto change = take();
  const auto at = (take() << 16 | take() << 8 | take()) % bytes.size();
  if (at >= header.size()) bytes[at] ^= static_cast<std::byte>(change);
  bytes.insert(bytes.end(), input.begin(), input.end());
  return InMemory{std::move(bytes)};
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto file = made(std::as_bytes(std::span{data, size}));
  Places expected;
  std::size_t at = kSegmentHeaderSize;
  while (const auto decoded = decode_record(file.bytes().subspan(at))) {
    expected.emplace_back(at, decoded->size);
    at += decoded->size;
  }

  Places found;
  std::uint64_t damaged_at = 0;
  const auto content = read_segment(
      file,
      1,
      true,
      [&found](const Record&, std::uint32_t offset, std::uint32_t record_size) {
        found.emplace_back(offset, record_size);
        return true;
      },
      damaged_at);
  if (found != expected) std::abort();
  if (!content) {
    if (content.error() != LogError::Damaged || damaged_at != at) std::abort();
    return 0;
  }
  const auto rest = file.bytes().subspan(at);
  const bool clean = std::ranges::all_of(rest, [](auto byte) { return byte == std::byte{0}; });
  if (!content->begun || content->end != at || content->clean != clean) std::abort();
  return 0;
}
