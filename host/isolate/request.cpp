#include <host/isolate/request.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <limits>

namespace switchyard::host {
namespace {

namespace json = boost::json;

/// Loops that a server can have at most (`host.loops`).
constexpr std::uint32_t kLoopsMax = 1024;
constexpr std::uint64_t kLongestUs =
    86'400'000'000; // a day: no duration of the configuration is longer

/// Reads fields of one object; good() once each was there and of its kind.
class Fields {
public:
  explicit Fields(const json::object& object) : object_{object} {}

  void read(std::string_view key, std::string& into) {
    const auto* value = object_.if_contains(key);
    const auto* text = value == nullptr ? nullptr : value->if_string();
    if (text != nullptr) into.assign(text->data(), text->size());
    good_ &= text != nullptr;
  }

  void read(std::string_view key, bool& into) {
    const auto* value = object_.if_contains(key);
    const auto* flag = value == nullptr ? nullptr : value->if_bool();
    if (flag != nullptr) into = *flag;
    good_ &= flag != nullptr;
  }

  template <class Number>
  void read(std::string_view key, Number& into, std::uint64_t max) {
    const auto* value = object_.if_contains(key);
    boost::system::error_code no_number;
    const auto number = value == nullptr || !value->is_number()
                            ? max + 1
                            : value->to_number<std::uint64_t>(no_number);
    const auto fits = !no_number && number <= max;
    if (fits) into = static_cast<Number>(number);
    good_ &= fits;
  }

  template <class Rep, class Period>
  void read_time(std::string_view key, std::chrono::duration<Rep, Period>& into) {
    std::uint64_t us = 0;
    read(key, us, kLongestUs);
    into = std::chrono::duration_cast<std::chrono::duration<Rep, Period>>(
        std::chrono::microseconds{us});
  }

  void read(std::string_view key, std::vector<std::string>& into) {
    const auto* value = object_.if_contains(key);
    const auto* all = value == nullptr ? nullptr : value->if_array();
    good_ &= all != nullptr;
    if (all == nullptr) return;
    for (const auto& each : *all) {
      good_ &= each.is_string();
      if (each.is_string()) into.emplace_back(each.get_string());
    }
  }

  [[nodiscard]] bool good() const noexcept { return good_; }

private:
  const json::object& object_;
  bool good_ = true;
};

std::int64_t us(std::chrono::microseconds time) {
  return time.count();
}

json::object to_json(const TlsConfig& tls) {
  return {
      {"ca", tls.ca},
      {"certificate", tls.certificate},
      {"key", tls.key},
      {"verify_incoming", tls.verify_incoming},
      {"verify_outgoing", tls.verify_outgoing}};
}

bool read(const json::value& value, TlsConfig& tls) {
  const auto* object = value.if_object();
  if (object == nullptr) return false;
  Fields fields{*object};
  fields.read("ca", tls.ca);
  fields.read("certificate", tls.certificate);
  fields.read("key", tls.key);
  fields.read("verify_incoming", tls.verify_incoming);
  fields.read("verify_outgoing", tls.verify_outgoing);
  return fields.good();
}

} // namespace

std::string to_text(const IsolatedRequest& request) {
  const auto& [plugin, settings, log_level, config] = request;
  const auto& verified = plugin.verified;
  json::object object{
      {"name", plugin.name},
      {"path", plugin.path},
      {"staged", plugin.staged},
      {"generation", plugin.generation},
      {"manifest", verified.manifest_text},
      {"platform", json::array(verified.platform.begin(), verified.platform.end())},
      {"settings", settings},
      {"loops", config.host.loops},
      {"log_level", log_level},
      {"dial_timeout_us", us(config.limits.dial_timeout)},
      {"control_timeout_us", us(config.limits.control_timeout)},
      {"spin_us", us(config.limits.spin)}};
  if (config.tls) object["tls"] = to_json(*config.tls);
  return json::serialize(object);
}

std::optional<IsolatedRequest> parse_isolated_request(std::string_view text) {
  boost::system::error_code error;
  // A path is bytes; it comes back as what it was.
  const auto value =
      json::parse({text.data(), text.size()}, error, {}, {.allow_invalid_utf8 = true});
  if (error || !value.is_object()) return std::nullopt;
  IsolatedRequest request;
  auto& [plugin, settings, log_level, config] = request;
  Fields fields{value.get_object()};
  fields.read("name", plugin.name);
  fields.read("path", plugin.path);
  fields.read("staged", plugin.staged);
  fields.read("generation", plugin.generation, std::numeric_limits<std::uint32_t>::max());
  fields.read("manifest", plugin.verified.manifest_text);
  fields.read("platform", plugin.verified.platform);
  fields.read("settings", settings);
  fields.read("loops", config.host.loops, kLoopsMax);
  fields.read("log_level", log_level, SY_LOG_ERROR);
  fields.read_time("dial_timeout_us", config.limits.dial_timeout);
  fields.read_time("control_timeout_us", config.limits.control_timeout);
  fields.read_time("spin_us", config.limits.spin);
  if (!fields.good() || config.host.loops == 0) return std::nullopt;
  if (const auto* tls = value.get_object().if_contains("tls")) {
    if (!read(*tls, config.tls.emplace())) return std::nullopt;
  }
  auto manifest = parse_manifest(plugin.verified.manifest_text);
  if (!manifest) return std::nullopt;
  plugin.verified.manifest = *std::move(manifest);
  return request;
}

} // namespace switchyard::host
