// Properties: once a prefix is decided, all that follows changes nothing; and nobody makes us wait
// beyond the limit. What is accepted has names that can be used as they are.
#include <proto/sniff/alpn.hpp>
#include <proto/sniff/client_hello.hpp>

#include <cstdint>
#include <cstdlib>

namespace {

using namespace switchyard::sniff;

void require(bool condition) {
  if (!condition) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span{data, size});
  const auto whole = parse_client_hello(bytes);
  for (std::size_t part = 0; part < size; part += 1 + part / 8) {
    const auto early = parse_client_hello(bytes.first(part));
    if (!early || *early) require(early == whole);
  }
  if (!whole) return 0;
  if (!*whole) {
    require(size < kClientHelloBytesMax);
    return 0;
  }

  const auto& hello = **whole;
  require(hello.server_name.find('\0') == std::string::npos);
  std::string list;
  for (const auto& name : hello.alpn) {
    require(!name.empty() && name.size() <= 255);
    list += static_cast<char>(name.size());
    list += name;
  }
  for (const auto& name : hello.alpn)
    require(choose_alpn(list, {&name, 1}) == name);
  return 0;
}
