#include <switchyard/bytes.hpp>

#include <plugins/grpc/metadata.hpp>

#include <algorithm>

namespace switchyard::grpc {

bool is_reserved(std::string_view key) noexcept {
  return key.starts_with("grpc-") || key.starts_with(':');
}

bool is_legal(const sy_grpc_metadata_entry& entry) noexcept {
  const auto key = view(entry.key);
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  };
  if (key.empty() || is_reserved(key) || !std::ranges::all_of(key, allowed)) return false;
  if (key.ends_with("-bin")) return true;
  const auto printable = [](std::byte byte) {
    return byte >= std::byte{' '} && byte <= std::byte{'~'};
  };
  return std::ranges::all_of(view(entry.value), printable);
}

} // namespace switchyard::grpc
