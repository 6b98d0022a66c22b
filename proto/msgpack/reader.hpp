#pragma once

#include <proto/msgpack/nesting.hpp>

#include <span>
#include <string_view>

namespace switchyard::msgpack {

/// How far a Reader has come.
enum class Progress : std::uint8_t {
  Good,      ///< everything asked for so far was there
  Cut,       ///< the bytes end before what was asked for; the same reads succeed once more arrived
  Malformed, ///< no further bytes can help; see Reader::error
};

/// Pulls objects from bytes that lie in one piece, in the order in which the caller asks.
///
/// The first read that fails ends the reading: it and all later ones return zero, empty or nil, and
/// progress() says so. So a structure is read without looking after every field; a loop over
/// elements also ends on progress() != Good, because a count comes from the peer.
///
/// Fields are as lenient as Consul's: nil stands for the zero value, an integer may have any format
/// that holds its value, text may come as str or bin (README.md, "What is read").
///
/// Views into `bytes` stay valid as long as those. No allocation, no recursion; one thread.
/// The limits hold for each object that begins outside of any other.
class Reader {
public:
  explicit Reader(std::span<const std::byte> bytes, const Limits& limits = {}) noexcept
      : bytes_{bytes}, nesting_{limits} {}

  /// The kind of the next object, which is not taken. Fails like a read when there is none.
  [[nodiscard]] Kind peek() noexcept;

  /// Takes the next object if it is nil.
  [[nodiscard]] bool nil() noexcept;

  [[nodiscard]] bool boolean() noexcept; ///< the integers 0 and 1 count as well
  [[nodiscard]] std::uint64_t unsigned_integer() noexcept;
  [[nodiscard]] std::int64_t signed_integer() noexcept;
  [[nodiscard]] double real() noexcept; ///< any float or integer
  [[nodiscard]] std::string_view string() noexcept;

  /// Begins an array: so many elements follow. Nil counts as none.
  [[nodiscard]] std::uint32_t array() noexcept;

  /// Begins a map: so many pairs of key and value follow. Nil counts as none.
  [[nodiscard]] std::uint32_t map() noexcept;

  /// Takes one whole object and returns its bytes. Fails only for Error::Reserved and the limits.
  std::span<const std::byte> skip() noexcept;

  /// Any object's head and payload; an array's or map's elements are objects of their own.
  struct Token {
    Head head;
    std::string_view payload;
  };

  [[nodiscard]] Token token() noexcept;

  [[nodiscard]] Progress progress() const noexcept { return progress_; }

  /// What is wrong. Only while progress() is Malformed.
  [[nodiscard]] Error error() const noexcept { return error_; }

  /// Bytes taken so far.
  [[nodiscard]] std::size_t size() const noexcept { return at_; }

private:
  [[nodiscard]] std::optional<Head> next_head() noexcept;
  Token take(const Head& head) noexcept;
  [[nodiscard]] std::uint32_t container(Kind kind) noexcept;
  void fail(Error error) noexcept;

  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
  Progress progress_ = Progress::Good;
  Error error_ = Error::WrongType;
  Nesting nesting_;
};

} // namespace switchyard::msgpack
