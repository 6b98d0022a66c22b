#include <proto/msgpack/reader.hpp>

#include <bit>
#include <limits>

namespace switchyard::msgpack {

Kind Reader::peek() noexcept {
  const auto head = next_head();
  return head ? head->kind : Kind::Nil;
}

bool Reader::nil() noexcept {
  const auto head = next_head();
  if (!head || head->kind != Kind::Nil) return false;
  take(*head);
  return progress_ == Progress::Good;
}

bool Reader::boolean() noexcept {
  const auto head = token().head;
  switch (head.kind) {
  case Kind::Nil: return false;
  case Kind::Bool:
  case Kind::Unsigned:
    if (head.number > 1) fail(Error::WrongType);
    return head.number == 1;
  default: fail(Error::WrongType); return false;
  }
}

std::uint64_t Reader::unsigned_integer() noexcept {
  const auto head = token().head;
  switch (head.kind) {
  case Kind::Nil: return 0;
  case Kind::Unsigned: return head.number;
  case Kind::Signed:
    if (static_cast<std::int64_t>(head.number) >= 0) return head.number;
    fail(Error::OutOfRange);
    return 0;
  default: fail(Error::WrongType); return 0;
  }
}

std::int64_t Reader::signed_integer() noexcept {
  const auto head = token().head;
  switch (head.kind) {
  case Kind::Nil: return 0;
  case Kind::Unsigned:
    if (head.number <= std::uint64_t{std::numeric_limits<std::int64_t>::max()}) break;
    fail(Error::OutOfRange);
    return 0;
  case Kind::Signed: break;
  default: fail(Error::WrongType); return 0;
  }
  return static_cast<std::int64_t>(head.number);
}

double Reader::real() noexcept {
  const auto head = token().head;
  switch (head.kind) {
  case Kind::Nil: return 0;
  case Kind::Float32: return std::bit_cast<float>(static_cast<std::uint32_t>(head.number));
  case Kind::Float64: return std::bit_cast<double>(head.number);
  case Kind::Unsigned: return static_cast<double>(head.number);
  case Kind::Signed: return static_cast<double>(static_cast<std::int64_t>(head.number));
  default: fail(Error::WrongType); return 0;
  }
}

std::string_view Reader::string() noexcept {
  const auto [head, payload] = token();
  switch (head.kind) {
  case Kind::Nil:
  case Kind::String:
  case Kind::Binary: return payload;
  default: fail(Error::WrongType); return {};
  }
}

std::uint32_t Reader::array() noexcept {
  return container(Kind::Array);
}

std::uint32_t Reader::map() noexcept {
  return container(Kind::Map);
}

std::span<const std::byte> Reader::skip() noexcept {
  const auto begin = at_;
  for (std::uint64_t objects = 1; objects != 0 && progress_ == Progress::Good; --objects) {
    const auto head = token().head;
    if (head.kind == Kind::Array) objects += head.number;
    if (head.kind == Kind::Map) objects += 2 * head.number;
  }
  return progress_ == Progress::Good ? bytes_.subspan(begin, at_ - begin)
                                     : std::span<const std::byte>{};
}

Reader::Token Reader::token() noexcept {
  const auto head = next_head();
  return head ? take(*head) : Token{};
}

std::optional<Head> Reader::next_head() noexcept {
  if (progress_ != Progress::Good) return std::nullopt;
  auto head = decode_head(bytes_.subspan(at_));
  if (!head) progress_ = Progress::Cut;
  return head;
}

Reader::Token Reader::take(const Head& head) noexcept {
  if (const auto error = nesting_.enter(head)) {
    fail(*error);
    return {};
  }

  at_ += head.size;
  if (head.kind != Kind::String && head.kind != Kind::Binary && head.kind != Kind::Extension) {
    return {head, {}};
  }

  const auto rest = bytes_.subspan(at_);
  if (head.number > rest.size()) {
    progress_ = Progress::Cut;
    return {};
  }
  const auto payload = rest.first(static_cast<std::size_t>(head.number));
  at_ += payload.size();
  return {head, {reinterpret_cast<const char*>(payload.data()), payload.size()}};
}

std::uint32_t Reader::container(Kind kind) noexcept {
  const auto head = token().head;
  if (head.kind == kind) return static_cast<std::uint32_t>(head.number);
  if (head.kind != Kind::Nil) fail(Error::WrongType);
  return 0;
}

void Reader::fail(Error error) noexcept {
  progress_ = Progress::Malformed;
  error_ = error;
}

} // namespace switchyard::msgpack
