#include <host/plugin/manifest.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <charconv>
#include <limits>

namespace switchyard::host {
namespace {

namespace json = boost::json;

constexpr bool is_lower(char c) noexcept {
  return c >= 'a' && c <= 'z';
}

constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

constexpr bool is_word(char c) noexcept {
  return is_lower(c) || is_digit(c) || c == '_' || c == '-';
}

/// Words of lower-case letters, digits, '_' and '-', joined by dots; the first begins with a
/// letter.
bool dotted_words(std::string_view text) noexcept {
  char before = '.';
  for (const char c : text) {
    if (c == '.' ? before == '.' : !is_word(c)) return false;
    before = c;
  }
  return before != '.' && is_lower(text.front());
}

bool digits(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 9 && std::ranges::all_of(text, is_digit);
}

/// What may follow the hyphen of a version: words joined by dots; semver.org, 9.
bool pre_release(std::string_view text) noexcept {
  char before = '.';
  for (const char c : text) {
    if (c == '.' ? before == '.' : !is_word(c) && (c < 'A' || c > 'Z')) return false;
    before = c;
  }
  return before != '.';
}

/// MAJOR.MINOR.PATCH, perhaps followed by a hyphen and a pre-release.
bool version_text(std::string_view text) noexcept {
  if (const auto hyphen = text.find('-'); hyphen != std::string_view::npos) {
    if (!pre_release(text.substr(hyphen + 1))) return false;
    text = text.substr(0, hyphen);
  }
  const auto first = text.find('.');
  const auto second = text.find('.', first + 1);
  return first != std::string_view::npos && second != std::string_view::npos &&
         digits(text.substr(0, first)) && digits(text.substr(first + 1, second - first - 1)) &&
         digits(text.substr(second + 1));
}

/// "com.example.clock/1"
bool interface_id(std::string_view text) noexcept {
  const auto slash = text.find('/');
  return slash != std::string_view::npos && dotted_words(text.substr(0, slash)) &&
         digits(text.substr(slash + 1));
}

bool printable(std::string_view text) noexcept {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

/// One JSON object and where it stands: "protocols[1]."
class Section {
public:
  Section(const json::object& object, std::string place)
      : object_{object}, place_{std::move(place)} {}

  [[noreturn]] void fail(std::string_view key, std::string_view clause) const {
    throw ManifestFault{place_ + std::string{key} + ": " + std::string{clause}};
  }

  [[nodiscard]] const json::value* find(std::string_view key) const {
    return object_.if_contains(key);
  }

  [[nodiscard]] std::string text(std::string_view key, std::size_t size_max) const {
    const auto* value = find(key);
    if (value == nullptr) fail(key, "is missing");
    if (!value->is_string()) fail(key, "is not a string");
    if (value->get_string().size() > size_max) {
      fail(key, "is longer than " + std::to_string(size_max) + " bytes");
    }
    return std::string{value->get_string()};
  }

  [[nodiscard]] std::uint32_t number(std::string_view key, std::uint32_t max) const {
    const auto* value = find(key);
    return value == nullptr ? 0 : number_of(*value, key, max);
  }

  [[nodiscard]] bool flag(std::string_view key) const {
    const auto* value = find(key);
    if (value == nullptr) return false;
    if (!value->is_bool()) fail(key, "is not true or false");
    return value->get_bool();
  }

  /// The whole numbers of the array `key`.
  [[nodiscard]] std::vector<std::uint32_t> numbers(std::string_view key, std::uint32_t max) const {
    const auto* value = find(key);
    if (value == nullptr) return {};
    if (!value->is_array()) fail(key, "is not an array");
    std::vector<std::uint32_t> numbers;
    for (const auto& entry : value->get_array())
      numbers.push_back(number_of(entry, key, max));
    return numbers;
  }

  /// Calls `take` with the object `key`, if it is there.
  template <class Take>
  void one(std::string_view key, Take take) const {
    const auto* value = find(key);
    if (value == nullptr) return;
    if (!value->is_object()) fail(key, "is not an object");
    take(Section{value->get_object(), place_ + std::string{key} + '.'});
  }

  /// Calls `take` with each object of the array `key`.
  template <class Take>
  void each(std::string_view key, Take take) const {
    const auto* value = find(key);
    if (value == nullptr) return;
    if (!value->is_array()) fail(key, "is not an array");
    std::size_t at = 0;
    for (const auto& entry : value->get_array()) {
      const auto place = place_ + std::string{key} + '[' + std::to_string(at++) + ']';
      if (!entry.is_object()) throw ManifestFault{place + ": is not an object"};
      take(Section{entry.get_object(), place + '.'});
    }
  }

private:
  [[nodiscard]] std::uint32_t
  number_of(const json::value& value, std::string_view key, std::uint32_t max) const {
    if (!value.is_int64() && !value.is_uint64()) fail(key, "is not a whole number");
    boost::system::error_code out_of_range;
    const auto number = value.to_number<std::uint32_t>(out_of_range);
    if (out_of_range || number > max) {
      fail(key, json::serialize(value) + " is not in 0 to " + std::to_string(max));
    }
    return number;
  }

  const json::object& object_;
  std::string place_;
};

constexpr std::size_t kNameMax = 64;
constexpr std::size_t kAlpnMax = 255; // RFC 7301 §3.1: a length of one byte
constexpr std::size_t kEntriesMax = 256;

void read_abi(const Section& top, Manifest& manifest) {
  const auto text = top.text("abi", kNameMax);
  const auto* end = text.data() + text.size();
  const auto major = std::from_chars(text.data(), end, manifest.abi_major);
  if (major.ec == std::errc{} && major.ptr != end && *major.ptr == '.') {
    const auto minor = std::from_chars(major.ptr + 1, end, manifest.abi_minor);
    if (minor.ec == std::errc{} && minor.ptr == end) return;
  }
  top.fail("abi", "\"" + text + "\" is not MAJOR.MINOR");
}

std::string read_interface(const Section& entry) {
  auto interface = entry.text("interface", kNameMax);
  if (!interface_id(interface)) {
    entry.fail("interface", "\"" + interface + "\" is not an id with its major, such as a.clock/1");
  }
  return interface;
}

std::optional<std::string> read_alpn(const Section& entry, std::string_view key) {
  if (entry.find(key) == nullptr) return std::nullopt;
  auto name = entry.text(key, kAlpnMax);
  if (!printable(name)) entry.fail(key, "is not a name without blanks");
  return name;
}

OnSwap read_on_swap(const Section& entry) {
  if (entry.find("on_swap") == nullptr) return OnSwap::Rebind;
  const auto word = entry.text("on_swap", kNameMax);
  constexpr std::string_view kWords[] = {"rebind", "restart", "drain_first", "pin"};
  const auto* found = std::ranges::find(kWords, word);
  if (found == std::end(kWords)) {
    entry.fail(
        "on_swap",
        "\"" + word + "\" is none of \"rebind\", \"restart\", \"drain_first\" and \"pin\"");
  }
  return static_cast<OnSwap>(found - kWords);
}

StateFormats read_state(const Section& entry) {
  constexpr auto kAny = std::numeric_limits<std::uint32_t>::max();
  return {
      .version = entry.number("version", kAny),
      .reads = entry.numbers("reads", kAny),
      .writes = entry.numbers("writes", kAny)};
}

int digit_of(char c) noexcept {
  if (is_digit(c)) return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// The bytes that the text `key` has in hex, if it is there.
std::string read_bytes(const Section& entry, std::string_view key) {
  if (entry.find(key) == nullptr) return {};
  const auto hex = entry.text(key, 2 * kTrialSizeMax);
  std::string bytes;
  for (std::size_t at = 0; at < hex.size(); at += 2) {
    const auto high = digit_of(hex[at]);
    const auto low = at + 1 < hex.size() ? digit_of(hex[at + 1]) : -1;
    if (high < 0 || low < 0) entry.fail(key, "is not bytes in hex, two of 0-9a-f each");
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

Trial read_trial(const Section& entry) {
  Trial trial{read_bytes(entry, "send"), read_bytes(entry, "answer")};
  if (trial.answer.empty()) entry.fail("answer", "is missing");
  return trial;
}

Protocol read_protocol(const Section& entry) {
  Protocol protocol{.name = entry.text("name", kNameMax), .tag = {}, .alpn = {}};
  if (!dotted_words(protocol.name)) {
    entry.fail("name", "\"" + protocol.name + "\" is not lower-case words joined by dots");
  }
  if (entry.find("tag") != nullptr) {
    protocol.tag = static_cast<std::uint8_t>(entry.number("tag", 255));
  }
  protocol.alpn = read_alpn(entry, "alpn");
  protocol.listener_alpn = read_alpn(entry, "listener_alpn");
  if (entry.find("mode") != nullptr) {
    const auto mode = entry.text("mode", kNameMax);
    if (mode == "descriptor") {
      protocol.mode = ServeMode::Descriptor;
    } else if (mode != "stream") {
      entry.fail("mode", "\"" + mode + "\" is neither \"stream\" nor \"descriptor\"");
    }
  }
  entry.one("trial", [&](const Section& of) { protocol.trial = read_trial(of); });
  return protocol;
}

/// Refuses a second entry with what `key` names, and too many of them.
template <class Entry>
void append(
    std::vector<Entry>& entries,
    Entry entry,
    std::string Entry::*name,
    std::string_view key,
    const Section& at) {
  if (entries.size() == kEntriesMax) {
    at.fail(key, "is one of more than " + std::to_string(kEntriesMax));
  }
  if (std::ranges::find(entries, entry.*name, name) != entries.end()) {
    at.fail(key, "\"" + entry.*name + "\" is there twice");
  }
  entries.push_back(std::move(entry));
}

Manifest read(const Section& top) {
  Manifest manifest;
  manifest.id = top.text("id", kNameMax);
  if (!dotted_words(manifest.id)) {
    top.fail("id", "\"" + manifest.id + "\" is not lower-case words joined by dots");
  }
  manifest.version = top.text("version", kNameMax);
  if (!version_text(manifest.version)) {
    top.fail("version", "\"" + manifest.version + "\" is not MAJOR.MINOR.PATCH");
  }
  read_abi(top, manifest);

  top.each("protocols", [&](const Section& entry) {
    append(manifest.protocols, read_protocol(entry), &Protocol::name, "name", entry);
  });
  constexpr auto kAnyMinor = std::numeric_limits<std::uint32_t>::max();
  top.each("provides", [&](const Section& entry) {
    append(
        manifest.provides,
        {read_interface(entry), entry.number("minor", kAnyMinor), entry.flag("registrar")},
        &ProvidedInterface::interface,
        "interface",
        entry);
  });
  top.each("requires", [&](const Section& entry) {
    append(
        manifest.requires_,
        {read_interface(entry),
         entry.number("min_minor", kAnyMinor),
         entry.flag("optional"),
         read_on_swap(entry)},
        &RequiredInterface::interface,
        "interface",
        entry);
  });
  manifest.exclusive = top.flag("exclusive");
  top.one("state", [&](const Section& entry) { manifest.state = read_state(entry); });
  return manifest;
}

} // namespace

boost::system::result<Manifest, ManifestFault> parse_manifest(std::string_view text) {
  if (text.size() > kManifestSizeMax) {
    return ManifestFault{
        "it has " + std::to_string(text.size()) + " bytes, more than " +
        std::to_string(kManifestSizeMax)};
  }
  boost::system::error_code ec;
  const auto value = json::parse({text.data(), text.size()}, ec);
  if (ec) return ManifestFault{"it is not JSON: " + ec.message()};
  if (!value.is_object()) return ManifestFault{"it is not a JSON object"};
  try {
    return read(Section{value.get_object(), ""});
  } catch (const ManifestFault& fault) {
    return fault;
  }
}

} // namespace switchyard::host
