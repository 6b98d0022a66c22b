// Property: what the example's reader of {"greeting": text} takes is JSON with that text, and what
// is such JSON it takes.
extern "C" {
#include <sdk/example/echo/config.h>
}

#include <boost/json/parse.hpp>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace json = boost::json;

namespace {

/// The greeting, as another reader sees it; nullopt when the text is something else.
std::optional<std::string> greeting(std::string_view text) {
  boost::system::error_code error;
  const auto value = json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object()) return std::nullopt;
  const auto& object = value.get_object();
  if (object.empty()) return "";
  const auto* found = object.if_contains("greeting");
  if (object.size() != 1 || found == nullptr || !found->is_string()) return std::nullopt;
  return std::string{found->get_string()};
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text{reinterpret_cast<const char*>(data), size}; // its end is guarded
  echo_config config;
  sy_error error{sizeof error, SY_OK, {}};
  const auto taken = echo_config_read({text.data(), text.size()}, &config, &error) == SY_OK;
  if (!taken && (error.code != SY_INVALID || error.text[0] == '\0')) std::abort();
  if (text.empty()) return 0;

  const auto expected = greeting(text);
  const auto twice = std::string_view{error.text} == "\"greeting\" is there twice";
  if (!expected || expected->size() > ECHO_GREETING_MAX || twice) {
    // Of UTF-8 the example knows nothing: it passes on the bytes that it was given.
    const auto ascii = std::ranges::all_of(text, [](char c) { return c >= 0; });
    if (taken && ascii) std::abort();
    return 0;
  }
  if (!taken || *expected != std::string_view{config.greeting, config.greeting_size}) std::abort();
  return 0;
}
