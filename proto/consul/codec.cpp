#include <proto/consul/codec.hpp>

namespace switchyard::consul {

void Codec<Object>::read(msgpack::Reader& reader, Object& value) {
  const auto object = reader.skip();
  value.bytes.assign(object.begin(), object.end());
}

void Codec<Object>::write(msgpack::Writer& writer, const Object& value) {
  writer.object(value.bytes);
}

void Codec<Time>::read(msgpack::Reader& reader, Time& value) {
  const auto bytes = reader.string();
  if (bytes.size() == value.bytes.size()) std::ranges::copy(bytes, value.bytes.begin());
}

void Codec<Time>::write(msgpack::Writer& writer, const Time& value) {
  writer.string({value.bytes.data(), value.bytes.size()});
}

} // namespace switchyard::consul
