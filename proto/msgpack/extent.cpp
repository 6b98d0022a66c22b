#include <proto/msgpack/extent.hpp>

namespace switchyard::msgpack {

boost::system::result<std::optional<std::size_t>>
Extent::scan(std::span<const std::byte> object) noexcept {
  if (failed_) return *failed_;

  while (!begun_ || !nesting_.complete()) {
    const auto position = nesting_.position();
    if (position >= object.size()) return std::nullopt;

    const auto head = decode_head(object.subspan(static_cast<std::size_t>(position)));
    if (!head) return std::nullopt;

    begun_ = true;
    if (const auto error = nesting_.enter(*head)) {
      failed_ = *error;
      return *failed_;
    }
  }

  const auto size = static_cast<std::size_t>(nesting_.position());
  if (size > object.size()) return std::nullopt; // the last payload is still on its way
  return size;
}

} // namespace switchyard::msgpack
