#include <proto/msgpack/reader.hpp>
#include <proto/msgpack/writer.hpp>
#include <proto/raftwire/answer.hpp>

#include <boost/assert.hpp>

namespace switchyard::raftwire {

boost::system::result<std::optional<AnswerFrame>>
AnswerExtent::scan(std::span<const std::byte> bytes) noexcept {
  const auto error_size = error_.scan(bytes);
  if (!error_size) return error_size.error();
  if (!*error_size) return std::nullopt;
  msgpack::Reader reader{bytes.first(**error_size)};
  const auto error = reader.string();
  if (reader.progress() == msgpack::Progress::Malformed) return reader.error();

  const auto rest = bytes.subspan(**error_size);
  const auto size = value_.scan(rest);
  if (!size) return size.error();
  if (!*size) return std::nullopt;
  return AnswerFrame{error, rest.first(**size), **error_size + **size};
}

void append_error(std::vector<std::byte>& out, std::string_view error) {
  BOOST_ASSERT(!error.empty());
  msgpack::Writer writer{out};
  writer.string(error);
  writer.nil();
}

} // namespace switchyard::raftwire
