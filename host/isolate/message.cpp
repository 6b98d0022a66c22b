#include <host/isolate/message.hpp>

#include <boost/endian/conversion.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <tuple>
#include <type_traits>
#include <utility>

namespace switchyard::host {
namespace {

namespace endian = boost::endian;

static_assert(6 * (kTextMax + 2) + 64 <= kMessageMax, "the largest is Passed");

class Writer {
public:
  template <class Value>
  void operator()(const Value& value) {
    if constexpr (std::is_enum_v<Value>) {
      (*this)(static_cast<std::underlying_type_t<Value>>(value));
    } else if constexpr (std::is_same_v<Value, bool>) {
      (*this)(std::uint8_t{value});
    } else if constexpr (std::is_same_v<Value, double>) {
      (*this)(std::bit_cast<std::uint64_t>(value));
    } else {
      const auto little = endian::native_to_little(value);
      std::array<char, sizeof little> bytes{};
      std::memcpy(bytes.data(), &little, sizeof little);
      bytes_.append(bytes.data(), bytes.size());
    }
  }

  void operator()(const std::string& text) {
    const auto size = std::min(text.size(), kTextMax);
    (*this)(static_cast<std::uint16_t>(size));
    bytes_.append(text, 0, size);
  }

  [[nodiscard]] std::string take() && { return std::move(bytes_); }

private:
  std::string bytes_;
};

class Reader {
public:
  explicit Reader(std::string_view bytes) : rest_{bytes} {}

  template <class Value>
  void operator()(Value& value) {
    if constexpr (std::is_enum_v<Value>) {
      std::underlying_type_t<Value> number{};
      (*this)(number);
      value = static_cast<Value>(number); // which sensible() judges
    } else if constexpr (std::is_same_v<Value, bool>) {
      std::uint8_t number = 0;
      (*this)(number);
      value = number == 1;
      if (number > 1) fail();
    } else if constexpr (std::is_same_v<Value, double>) {
      std::uint64_t bits = 0;
      (*this)(bits);
      value = std::bit_cast<double>(bits);
    } else {
      if (rest_.size() < sizeof value) return fail();
      std::memcpy(&value, rest_.data(), sizeof value);
      endian::little_to_native_inplace(value);
      rest_.remove_prefix(sizeof value);
    }
  }

  void operator()(std::string& text) {
    std::uint16_t size = 0;
    (*this)(size);
    if (size > rest_.size() || size > kTextMax) return fail();
    text = rest_.substr(0, size);
    rest_.remove_prefix(size);
  }

  [[nodiscard]] bool whole() const { return good_ && rest_.empty(); }

private:
  void fail() {
    good_ = false;
    rest_ = {};
  }

  std::string_view rest_;
  bool good_ = true;
};

template <class Kind, class Message>
concept Of = std::is_same_v<std::remove_const_t<Kind>, Message>;

// The fields of each kind, in their order.

auto fields(Of<LaneOpened> auto&) {
  return std::tie();
}

auto fields(Of<Drained> auto&) {
  return std::tie();
}

auto fields(Of<Taken> auto&) {
  return std::tie();
}

auto fields(Of<Call> auto& call) {
  return std::tie(call.function, call.deadline);
}

auto fields(Of<Answer> auto& answer) {
  return std::tie(answer.status, answer.text);
}

auto fields(Of<LogLine> auto& line) {
  return std::tie(line.level, line.text);
}

auto fields(Of<Passed> auto& passed) {
  return std::tie(
      passed.id,
      passed.protocol,
      passed.tag,
      passed.tls,
      passed.listener,
      passed.alpn,
      passed.server_name,
      passed.peer_names,
      passed.remote,
      passed.local);
}

auto fields(Of<Counted> auto& counted) {
  return std::tie(counted.counter, counted.value, counted.name, counted.help);
}

auto fields(Of<PassedEnded> auto& ended) {
  return std::tie(ended.id, ended.reason);
}

template <class Io>
void each_field(Io& io, auto& kind) {
  std::apply([&io](auto&... field) { (io(field), ...); }, fields(kind));
}

bool sensible(const Call& call) {
  return call.function < Function::Count;
}

bool sensible(const LogLine& line) {
  return line.level <= SY_LOG_ERROR;
}

bool sensible(const Passed& passed) {
  return passed.id != 0 && passed.tag >= -1 && passed.tag <= 255;
}

bool sensible(const Counted& counted) {
  return std::isfinite(counted.value);
}

bool sensible(const PassedEnded& ended) {
  return ended.reason < CloseReason::Count;
}

template <class Kind>
bool sensible(const Kind&) {
  return true;
}

/// Reads the kind at position `Index` of Message.
template <std::size_t Index>
std::optional<Message> read(std::string_view bytes) {
  std::variant_alternative_t<Index, Message> message;
  Reader reader{bytes};
  each_field(reader, message);
  if (!reader.whole() || !sensible(message)) return std::nullopt;
  return message;
}

template <std::size_t... Index>
std::optional<Message>
read(std::size_t kind, std::string_view bytes, std::index_sequence<Index...>) {
  std::optional<Message> message;
  static_cast<void>(((kind == Index && (message = read<Index>(bytes), true)) || ...));
  return message;
}

} // namespace

std::string_view to_string(Function function) noexcept {
  constexpr std::array<std::string_view, static_cast<std::size_t>(Function::Count)> kNames{
      "init()", "start()", "activate()", "health()", "drain()", "abort_all()", "stop()"};
  return kNames[static_cast<std::size_t>(function)];
}

std::string encode(const Message& message) {
  Writer writer;
  writer(static_cast<std::uint8_t>(message.index()));
  std::visit([&writer](const auto& kind) { each_field(writer, kind); }, message);
  return std::move(writer).take();
}

std::optional<Message> decode(std::string_view bytes) {
  if (bytes.empty() || bytes.size() > kMessageMax) return std::nullopt;
  const auto kind = static_cast<unsigned char>(bytes[0]);
  constexpr auto kKinds = std::variant_size_v<Message>;
  return read(kind, bytes.substr(1), std::make_index_sequence<kKinds>{});
}

} // namespace switchyard::host
