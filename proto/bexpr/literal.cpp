#include <proto/bexpr/literal.hpp>

#include <charconv>
#include <cstdint>

namespace switchyard::bexpr {
namespace {

void append_utf8(std::string& out, std::uint32_t rune) {
  const auto byte = [&](std::uint32_t bits) { out += static_cast<char>(bits); };
  const auto tail = [&](unsigned shift) { byte(0x80U | (rune >> shift & 0x3fU)); };
  if (rune < 0x80) {
    byte(rune);
  } else if (rune < 0x800) {
    byte(0xc0U | rune >> 6);
    tail(0);
  } else if (rune < 0x10000) {
    byte(0xe0U | rune >> 12);
    tail(6);
    tail(0);
  } else {
    byte(0xf0U | rune >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

/// Takes `digits` digits from the front of `text`.
std::optional<std::uint32_t> take_number(std::string_view& text, std::size_t digits, int base) {
  if (text.size() < digits) return std::nullopt;
  std::uint32_t number = 0;
  const auto* end = text.data() + digits;
  const auto [at, error] = std::from_chars(text.data(), end, number, base);
  if (error != std::errc{} || at != end) return std::nullopt;
  text.remove_prefix(digits);
  return number;
}

/// Takes what follows a backslash.
bool append_escape(std::string_view& text, std::string& out) {
  constexpr std::string_view kLetters = "abfnrtv\\\"";
  constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\\"";
  if (text.empty()) return false;
  const auto letter = text.front();
  if (const auto at = kLetters.find(letter); at != kLetters.npos) {
    out += kMeanings[at];
    text.remove_prefix(1);
    return true;
  }
  if (letter >= '0' && letter <= '7') {
    const auto byte = take_number(text, 3, 8);
    if (!byte || *byte > 0xff) return false;
    out += static_cast<char>(*byte);
    return true;
  }
  text.remove_prefix(1);
  if (letter == 'x') {
    const auto byte = take_number(text, 2, 16);
    if (byte) out += static_cast<char>(*byte);
    return byte.has_value();
  }
  if (letter != 'u' && letter != 'U') return false;
  const auto rune = take_number(text, letter == 'u' ? 4 : 8, 16);
  if (!rune || *rune > 0x10ffff || (*rune >= 0xd800 && *rune < 0xe000)) return false;
  append_utf8(out, *rune);
  return true;
}

} // namespace

std::optional<std::string> unquote(std::string_view literal) {
  const auto raw = literal.front() == '`';
  auto text = literal.substr(1, literal.size() - 2);
  std::string out;
  while (!text.empty()) {
    const auto c = text.front();
    text.remove_prefix(1);
    if (raw) {
      if (c != '\r') out += c;
    } else if (c == '\n') {
      return std::nullopt;
    } else if (c != '\\') {
      out += c;
    } else if (!append_escape(text, out)) {
      return std::nullopt;
    }
  }
  return out;
}

std::string quote(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out = "\"";
  for (const auto c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\x";
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 15U];
    } else {
      out += c;
    }
  }
  return out += '"';
}

} // namespace switchyard::bexpr
