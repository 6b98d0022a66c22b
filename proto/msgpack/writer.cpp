#include <proto/msgpack/writer.hpp>

#include <boost/assert.hpp>
#include <boost/endian/conversion.hpp>

#include <array>
#include <bit>
#include <cstring>
#include <limits>

namespace switchyard::msgpack {
namespace {

template <class T>
constexpr bool fits(auto value) noexcept {
  return value >= std::numeric_limits<T>::min() && value <= std::numeric_limits<T>::max();
}

} // namespace

template <class Unsigned>
void Writer::number(std::uint8_t format, Unsigned value) {
  std::array<std::byte, 1 + sizeof(Unsigned)> bytes{std::byte{format}};
  boost::endian::native_to_big_inplace(value);
  std::memcpy(bytes.data() + 1, &value, sizeof value);
  out_.insert(out_.end(), bytes.begin(), bytes.end());
}

void Writer::nil() {
  out_.push_back(std::byte{0xc0});
}

void Writer::boolean(bool value) {
  out_.push_back(value ? std::byte{0xc3} : std::byte{0xc2});
}

void Writer::unsigned_integer(std::uint64_t value) {
  if (value <= 0x7f) {
    out_.push_back(static_cast<std::byte>(value));
  } else if (fits<std::uint8_t>(value)) {
    number(0xcc, static_cast<std::uint8_t>(value));
  } else if (fits<std::uint16_t>(value)) {
    number(0xcd, static_cast<std::uint16_t>(value));
  } else if (fits<std::uint32_t>(value)) {
    number(0xce, static_cast<std::uint32_t>(value));
  } else {
    number(0xcf, value);
  }
}

void Writer::signed_integer(std::int64_t value) {
  if (value >= 0) {
    unsigned_integer(static_cast<std::uint64_t>(value));
  } else if (value >= -32) {
    out_.push_back(static_cast<std::byte>(value));
  } else if (fits<std::int8_t>(value)) {
    number(0xd0, static_cast<std::uint8_t>(value));
  } else if (fits<std::int16_t>(value)) {
    number(0xd1, static_cast<std::uint16_t>(value));
  } else if (fits<std::int32_t>(value)) {
    number(0xd2, static_cast<std::uint32_t>(value));
  } else {
    number(0xd3, static_cast<std::uint64_t>(value));
  }
}

void Writer::float32(float value) {
  number(0xca, std::bit_cast<std::uint32_t>(value));
}

void Writer::float64(double value) {
  number(0xcb, std::bit_cast<std::uint64_t>(value));
}

void Writer::string(std::string_view bytes) {
  BOOST_ASSERT(fits<std::uint32_t>(bytes.size()));
  length(0xa0, 31, 0xda, static_cast<std::uint32_t>(bytes.size()));
  const auto* data = reinterpret_cast<const std::byte*>(bytes.data());
  out_.insert(out_.end(), data, data + bytes.size());
}

void Writer::array(std::uint32_t elements) {
  length(0x90, 15, 0xdc, elements);
}

void Writer::map(std::uint32_t pairs) {
  length(0x80, 15, 0xde, pairs);
}

void Writer::object(std::span<const std::byte> encoded) {
  out_.insert(out_.end(), encoded.begin(), encoded.end());
}

/// The 32-bit format of a family follows its 16-bit one.
void Writer::length(
    std::uint8_t fixed, std::uint32_t fixed_max, std::uint8_t format16, std::uint32_t value) {
  if (value <= fixed_max) {
    out_.push_back(static_cast<std::byte>(fixed | value));
  } else if (fits<std::uint16_t>(value)) {
    number(format16, static_cast<std::uint16_t>(value));
  } else {
    number(static_cast<std::uint8_t>(format16 + 1), value);
  }
}

} // namespace switchyard::msgpack
