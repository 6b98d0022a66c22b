#include <proto/consul/duration.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

namespace switchyard::consul {
namespace {

constexpr std::uint64_t kMax = std::uint64_t{1} << 63U; ///< what a negative one may have
constexpr std::uint64_t kMicrosecond = 1'000;
constexpr std::uint64_t kMillisecond = 1'000 * kMicrosecond;
constexpr std::uint64_t kSecond = 1'000 * kMillisecond;
constexpr std::uint64_t kMinute = 60 * kSecond;
constexpr std::uint64_t kHour = 60 * kMinute;

constexpr std::pair<std::string_view, std::uint64_t> kUnits[] = {
    {"ns", 1},
    {"us", kMicrosecond},
    {"\u00b5s", kMicrosecond}, // micro sign
    {"\u03bcs", kMicrosecond}, // Greek letter mu
    {"ms", kMillisecond},
    {"s", kSecond},
    {"m", kMinute},
    {"h", kHour},
};

/// As package time quotes: what is not printable ASCII byte by byte.
std::string quote(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out = "\"";
  for (const auto c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x80) {
      out += "\\x";
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 15U];
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out += '"';
}

constexpr bool digit(char c) {
  return c >= '0' && c <= '9';
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

/// Takes the digits in front, none is 0. Nothing when they are beyond kMax.
std::optional<std::uint64_t> take_whole(std::string_view& text) {
  std::uint64_t number = 0;
  for (; !text.empty() && digit(text.front()); text.remove_prefix(1)) {
    if (number > kMax / 10) return std::nullopt;
    number = number * 10 + static_cast<std::uint64_t>(text.front() - '0');
    if (number > kMax) return std::nullopt;
  }
  return number;
}

/// Takes the digits behind a point: their share of `unit` is number / scale. Those that do not fit
/// any more change nothing.
struct Fraction {
  std::uint64_t number = 0;
  double scale = 1;
};

Fraction take_fraction(std::string_view& text) {
  Fraction fraction;
  for (bool full = false; !text.empty() && digit(text.front()); text.remove_prefix(1)) {
    if (full || fraction.number > (kMax - 1) / 10) {
      full = true;
      continue;
    }
    const auto next = fraction.number * 10 + static_cast<std::uint64_t>(text.front() - '0');
    if (next > kMax) {
      full = true;
      continue;
    }
    fraction.number = next;
    fraction.scale *= 10;
  }
  return fraction;
}

std::string_view take_unit(std::string_view& text) {
  const auto end = std::min(text.find_first_of(".0123456789"), text.size());
  const auto unit = text.substr(0, end);
  text.remove_prefix(end);
  return unit;
}

/// A number of at most `digits` digits behind a point, without zeros at its end.
std::string fraction_text(std::uint64_t number, std::size_t digits) {
  if (number == 0) return {};
  auto text = std::to_string(number);
  text.insert(0, digits - text.size(), '0');
  text.erase(text.find_last_not_of('0') + 1);
  return "." + text;
}

} // namespace

boost::system::result<std::chrono::nanoseconds, NoDuration> parse_duration(std::string_view text) {
  const auto invalid = [&] { return NoDuration{"time: invalid duration " + quote(text)}; };
  auto rest = text;
  const auto negative = take(rest, '-');
  if (!negative) take(rest, '+');
  if (rest == "0") return std::chrono::nanoseconds{};
  if (rest.empty()) return invalid();

  std::uint64_t sum = 0;
  while (!rest.empty()) {
    const auto begin = rest.size();
    const auto whole = take_whole(rest);
    if (!whole) return invalid();
    auto digits = begin - rest.size();
    Fraction fraction;
    if (take(rest, '.')) {
      const auto behind = rest.size();
      fraction = take_fraction(rest);
      digits += behind - rest.size();
    }
    if (digits == 0) return invalid();

    const auto unit = take_unit(rest);
    if (unit.empty()) return NoDuration{"time: missing unit in duration " + quote(text)};
    std::uint64_t size = 0;
    for (const auto& [name, nanoseconds] : kUnits) {
      if (name == unit) size = nanoseconds;
    }
    if (size == 0) {
      return NoDuration{"time: unknown unit " + quote(unit) + " in duration " + quote(text)};
    }
    if (*whole > kMax / size) return invalid();
    auto part = *whole * size;
    if (fraction.number > 0) {
      const auto share = static_cast<double>(size) / fraction.scale;
      part += static_cast<std::uint64_t>(static_cast<double>(fraction.number) * share);
    }
    if (part > kMax || sum + part > kMax) return invalid();
    sum += part;
  }
  if (!negative && sum == kMax) return invalid();
  return std::chrono::nanoseconds{static_cast<std::int64_t>(negative ? 0 - sum : sum)};
}

std::string format_duration(std::chrono::nanoseconds duration) {
  const auto negative = duration.count() < 0;
  auto left = static_cast<std::uint64_t>(duration.count());
  if (negative) left = 0 - left;
  const std::string sign = negative ? "-" : "";

  const std::tuple<std::uint64_t, std::size_t, std::string_view> small[] = {
      {1, 0, "ns"}, {kMicrosecond, 3, "\u00b5s"}, {kMillisecond, 6, "ms"}};
  if (left == 0) return "0s";
  for (const auto& [size, digits, name] : small) {
    if (left >= kSecond || left >= size * 1'000) continue;
    return sign + std::to_string(left / size) + fraction_text(left % size, digits) +
           std::string{name};
  }
  const auto seconds =
      std::to_string(left % kMinute / kSecond) + fraction_text(left % kSecond, 9) + "s";
  std::string minutes;
  if (left >= kMinute) minutes = std::to_string(left % kHour / kMinute) + "m";
  std::string hours;
  if (left >= kHour) hours = std::to_string(left / kHour) + "h";
  return sign + hours + minutes + seconds;
}

} // namespace switchyard::consul
