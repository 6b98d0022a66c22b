#include <proto/sniff/alpn.hpp>
#include <proto/sniff/client_hello.hpp>
#include <proto/sniff/error.hpp>
#include <proto/sniff/tag.hpp>

#include <boost/endian/conversion.hpp>

#include <algorithm>
#include <utility>

namespace switchyard::sniff {
namespace {

using Bytes = std::span<const std::byte>;

// Record header; source: RFC 8446, 5.1.
constexpr std::size_t kRecordVersionAt = 1;
constexpr std::size_t kRecordLengthAt = 3;
constexpr std::size_t kRecordHeaderSize = 5;
constexpr std::size_t kFragmentBytesMax = std::size_t{1} << 14;
constexpr std::byte kMajorVersion{3};

// Handshake header; source: RFC 8446, 4.
constexpr std::byte kClientHelloType{1};
constexpr std::size_t kHandshakeHeaderSize = 4;

// Source: RFC 8446, 4.1.2.
constexpr std::size_t kVersionAndRandomSize = 2 + 32;

// Extensions; source: IANA, "TLS ExtensionType Values".
constexpr std::uint64_t kServerName = 0;
constexpr std::uint64_t kAlpn = 16;
constexpr std::uint64_t kHostName = 0; // RFC 6066, 3: NameType

/// Big-endian fields from the front of a structure. What is not there makes it broken for good.
class Fields {
public:
  explicit Fields(Bytes bytes) noexcept : rest_{bytes} {}

  [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }

  [[nodiscard]] bool broken() const noexcept { return broken_; }

  Bytes take(std::size_t size) noexcept {
    if (size > rest_.size()) broken_ = true;
    if (broken_) {
      rest_ = {};
      return {};
    }
    const auto taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }

  /// An integer of `size` bytes.
  std::uint64_t number(std::size_t size) noexcept {
    std::uint64_t value = 0;
    for (const auto byte : take(size))
      value = value << 8 | std::to_integer<std::uint64_t>(byte);
    return value;
  }

  /// A vector: its length in `length_size` bytes, then its content. Source: RFC 8446, 3.4.
  Bytes vector(std::size_t length_size) noexcept {
    return take(static_cast<std::size_t>(number(length_size)));
  }

private:
  Bytes rest_;
  bool broken_ = false;
};

std::string_view text(Bytes bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Source: RFC 6066, 3. A name with a zero byte is one that two readers read differently.
bool read_server_name(Bytes extension, std::string& name) {
  Fields fields{extension};
  Fields list{fields.vector(2)};
  if (list.empty() || !fields.empty()) return false;
  while (!list.empty()) {
    const auto type = list.number(1);
    const auto entry = text(list.vector(2));
    if (list.broken()) return false;
    if (type != kHostName) continue;
    if (!name.empty() || entry.empty() || entry.find('\0') != entry.npos) return false;
    name = entry;
  }
  return true;
}

/// Source: RFC 7301, 3.1.
bool read_alpn(Bytes extension, std::vector<std::string>& names) {
  Fields fields{extension};
  const auto list = fields.vector(2);
  if (fields.broken() || !fields.empty()) return false;
  const auto split = split_alpn(text(list));
  if (!split) return false;
  names.assign(split->begin(), split->end());
  return true;
}

bool read_extensions(Fields extensions, ClientHello& hello) {
  bool server_name = false;
  bool alpn = false;
  while (!extensions.empty()) {
    const auto type = extensions.number(2);
    const auto extension = extensions.vector(2);
    if (extensions.broken()) return false;
    if (type == kServerName) {
      if (std::exchange(server_name, true)) return false;
      if (!read_server_name(extension, hello.server_name)) return false;
    } else if (type == kAlpn) {
      if (std::exchange(alpn, true)) return false;
      if (!read_alpn(extension, hello.alpn)) return false;
    }
  }
  return true;
}

/// Source: RFC 8446, 4.1.2; for the extensions that TLS 1.2 may leave out, RFC 5246, 7.4.1.2.
boost::system::result<std::optional<ClientHello>> read_hello(Bytes message) {
  Fields fields{message};
  fields.take(kVersionAndRandomSize);
  fields.vector(1); // session id
  fields.vector(2); // cipher suites
  fields.vector(1); // compression methods
  if (fields.broken()) return Error::Malformed;

  ClientHello hello;
  if (fields.empty()) return hello;
  const Fields extensions{fields.vector(2)};
  if (fields.broken() || !fields.empty()) return Error::Malformed;
  if (!read_extensions(extensions, hello)) return Error::Malformed;
  return hello;
}

/// The fragments of the records in `bytes`, the last one perhaps cut.
class Records {
public:
  explicit Records(Bytes bytes) noexcept : bytes_{bytes} {}

  /// The next fragment, as far as it is there; nullopt while even its header is not.
  boost::system::result<std::optional<Bytes>> next() noexcept {
    const auto rest = bytes_.subspan(at_);
    if (!rest.empty() && !is_client_hello(std::to_integer<std::uint8_t>(rest[0]))) {
      return Error::NotHandshake;
    }
    if (rest.size() > kRecordVersionAt && rest[kRecordVersionAt] != kMajorVersion) {
      return Error::NotHandshake;
    }
    if (rest.size() < kRecordHeaderSize) return std::nullopt;

    const auto size = boost::endian::load_big_u16(
        reinterpret_cast<const unsigned char*>(rest.data() + kRecordLengthAt));
    if (size == 0 || size > kFragmentBytesMax) return Error::Malformed;
    const auto there = std::min<std::size_t>(size, rest.size() - kRecordHeaderSize);
    at_ += kRecordHeaderSize + there;
    return rest.subspan(kRecordHeaderSize, there);
  }

private:
  Bytes bytes_;
  std::size_t at_ = 0;
};

} // namespace

boost::system::result<std::optional<ClientHello>> parse_client_hello(Bytes bytes) {
  const bool whole = bytes.size() < kClientHelloBytesMax;
  Records records{whole ? bytes : bytes.first(kClientHelloBytesMax)};

  Bytes message;
  std::vector<std::byte> joined; // what `message` is of, when it comes in several records
  for (;;) {
    const auto fragment = records.next();
    if (!fragment) return fragment.error();
    if (!*fragment) break;

    if (message.empty()) {
      message = **fragment;
    } else {
      if (joined.empty()) joined.assign(message.begin(), message.end());
      joined.insert(joined.end(), (*fragment)->begin(), (*fragment)->end());
      message = joined;
    }

    if (!message.empty() && message[0] != kClientHelloType) return Error::NotClientHello;
    if (message.size() < kHandshakeHeaderSize) continue;
    Fields fields{message.subspan(1)};
    const auto size = static_cast<std::size_t>(fields.number(3));
    if (kRecordHeaderSize + kHandshakeHeaderSize + size > kClientHelloBytesMax) {
      return Error::TooLarge;
    }
    if (const auto hello = fields.take(size); !fields.broken()) return read_hello(hello);
  }
  if (!whole) return Error::TooLarge;
  return std::nullopt;
}

} // namespace switchyard::sniff
