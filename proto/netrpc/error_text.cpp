#include <proto/msgpack/head.hpp>
#include <proto/netrpc/error_text.hpp>

#include <boost/assert.hpp>

namespace switchyard::netrpc {
namespace {

using msgpack::Kind;

std::string joined(std::string_view text, std::string_view name) {
  std::string whole;
  whole.reserve(text.size() + name.size());
  return whole.append(text).append(name);
}

/// go-msgpack's valueType of an object by its format byte, in hexadecimal as its texts print it.
/// nullopt for those that may be a structure.
std::optional<char> value_type(std::byte format, Kind kind) noexcept {
  switch (kind) {
  case Kind::Nil:
  case Kind::Array:
  case Kind::Map: return std::nullopt;
  case Kind::Signed: return '2';
  case Kind::Unsigned: return format <= std::byte{0x7f} ? '2' : '3'; // fixints count as signed
  case Kind::Float32:
  case Kind::Float64: return '4';
  case Kind::Bool: return '5';
  case Kind::String: return '6';
  case Kind::Binary: return '8';
  case Kind::Extension: return 'c';
  case Kind::Reserved: break;
  }
  return '0';
}

} // namespace

std::string cannot_find_method(std::string_view name) {
  return joined("rpc: can't find method ", name);
}

std::string cannot_find_service(std::string_view name) {
  return joined("rpc: can't find service ", name);
}

std::string ill_formed(std::string_view name) {
  return joined("rpc: service/method request ill-formed: ", name);
}

std::optional<std::string> no_structure(std::span<const std::byte> body) {
  const auto head = msgpack::decode_head(body);
  BOOST_ASSERT(head);
  const auto type = value_type(body[0], head->kind);
  if (!type) return std::nullopt;
  return "codec.decoder: Only encoded map or array can be decoded into a struct. (valueType: " +
         std::string(1, *type) + ')';
}

std::string undecodable(std::span<const std::byte> body, msgpack::Error error) {
  if (error != msgpack::Error::Reserved) {
    return "codec.decoder: " + msgpack::make_error_code(error).message();
  }

  const bool outermost = !body.empty() && body[0] == std::byte{0xc1};
  const std::string_view where =
      outermost ? "currentEncodedType: Undeciphered descriptor" : "Nil-Deciphered DecodeValue";
  return joined("codec.decoder: ", where)
      .append(": Unrecognized descriptor byte: hex: c1, dec: 193");
}

} // namespace switchyard::netrpc
