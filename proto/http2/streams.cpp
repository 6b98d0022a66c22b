#include <proto/http2/streams.hpp>

#include <boost/assert.hpp>

#include <algorithm>

namespace switchyard::http2 {
namespace {

// Two low bits of an entry: who has ended the stream. Above them the id without its lowest bit.
constexpr std::uint32_t kBothEnded = 3;
constexpr std::uint32_t kClientEnded = 1;
constexpr std::uint32_t kServerEnded = 2;

// Room for streams that an emptied set keeps, so that calls one after another cost no allocation.
constexpr std::size_t kStreamsKept = 16;

constexpr std::uint32_t entry(std::uint32_t stream) {
  return stream >> 1 << 2;
}

constexpr std::uint32_t ended(Side side) {
  return side == Side::Client ? kClientEnded : kServerEnded;
}

} // namespace

void Streams::open(std::uint32_t stream) {
  BOOST_ASSERT(stream % 2 == 1 && (entries_.empty() || entries_.back() < entry(stream)));
  if (entries_.capacity() == 0) entries_.reserve(kStreamsKept);
  entries_.push_back(entry(stream));
}

bool Streams::sends(std::uint32_t stream, Side side) const noexcept {
  const auto place = std::ranges::lower_bound(entries_, entry(stream));
  return place != entries_.end() && (*place & ~kBothEnded) == entry(stream) &&
         (*place & ended(side)) == 0;
}

bool Streams::end(std::uint32_t stream, Side side) {
  const auto place = find(stream);
  if (place == entries_.end() || (*place & ended(side)) != 0) return false;
  *place |= ended(side);
  if ((*place & kBothEnded) == kBothEnded) erase(place);
  return true;
}

void Streams::reset(std::uint32_t stream) {
  if (const auto place = find(stream); place != entries_.end()) erase(place);
}

Streams::Entries::iterator Streams::find(std::uint32_t stream) noexcept {
  const auto place = std::ranges::lower_bound(entries_, entry(stream));
  return place != entries_.end() && (*place & ~kBothEnded) == entry(stream) ? place
                                                                            : entries_.end();
}

void Streams::erase(Entries::iterator place) {
  entries_.erase(place);
  if (entries_.size() < entries_.capacity() / 4 && entries_.capacity() > kStreamsKept) {
    entries_.shrink_to_fit();
  }
}

} // namespace switchyard::http2
