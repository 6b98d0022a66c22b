#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace switchyard::msgpack {

/// Appends objects to a buffer exactly as go-msgpack 0.5.5 writes them with RawToString and without
/// WriteExt: the smallest integer, the str family for text and bytes alike, never str8, bin or an
/// extension. The caller writes struct keys in ascending byte order and as many elements as it
/// announced. Allocates only when the buffer grows. `out` outlives the writer; one thread.
class Writer {
public:
  explicit Writer(std::vector<std::byte>& out) noexcept : out_{out} {}

  void nil();
  void boolean(bool value);
  void unsigned_integer(std::uint64_t value);
  void signed_integer(std::int64_t value);
  void float32(float value);
  void float64(double value);
  void string(std::string_view bytes); ///< fewer than 2^32 bytes
  void array(std::uint32_t elements);
  void map(std::uint32_t pairs);
  void object(std::span<const std::byte> encoded); ///< a whole one, as it is

private:
  template <class Unsigned>
  void number(std::uint8_t format, Unsigned value);
  void length(std::uint8_t fixed, std::uint32_t fixed_max, std::uint8_t format16, std::uint32_t);

  std::vector<std::byte>& out_;
};

} // namespace switchyard::msgpack
