#include <host/isolate/request.hpp>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

namespace switchyard::host {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

constexpr std::string_view kManifest = R"({"id":"com.example.a","version":"1.0.0","abi":"0.5"})";

IsolatedRequest request() {
  IsolatedRequest made;
  made.plugin = {
      .name = "a",
      .path = "/p/a.so",
      .staged = "/d/a-1.so",
      .generation = 3,
      .verified = {*parse_manifest(kManifest), std::string{kManifest}, {"libssl.so.3"}}};
  made.settings = R"({"x":1})";
  made.log_level = SY_LOG_WARN;
  made.config.host.loops = 2;
  made.config.limits.dial_timeout = 1'500ms;
  made.config.limits.control_timeout = 2s;
  made.config.limits.spin = 7us;
  made.config.tls = TlsConfig{"ca.pem", "c.pem", "k.pem", true, true, {}};
  return made;
}

TEST(IsolatedRequest, ComesBackAsItWas) {
  const auto text = to_text(request());
  const auto read = parse_isolated_request(text);
  ASSERT_TRUE(read);
  EXPECT_EQ(to_text(*read), text);
  EXPECT_EQ(read->plugin.name, "a");
  EXPECT_EQ(read->plugin.generation, 3U);
  EXPECT_EQ(read->plugin.verified.manifest.id, "com.example.a");
  EXPECT_EQ(read->plugin.verified.platform, std::vector<std::string>{"libssl.so.3"});
  EXPECT_EQ(read->log_level, SY_LOG_WARN);
  EXPECT_EQ(read->config.host.loops, 2U);
  EXPECT_EQ(read->config.limits.dial_timeout, 1'500ms);
  EXPECT_EQ(read->config.limits.control_timeout, 2s);
  EXPECT_EQ(read->config.limits.spin, 7us);
  ASSERT_TRUE(read->config.tls);
  EXPECT_EQ(read->config.tls->key, "k.pem");
  EXPECT_TRUE(read->config.tls->verify_outgoing);
}

TEST(IsolatedRequest, APathIsBytes) {
  auto made = request();
  made.plugin.path = "/p/\xff.so";
  const auto read = parse_isolated_request(to_text(made));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->plugin.path, "/p/\xff.so");
}

TEST(IsolatedRequest, ChangedIsRefused) {
  const struct {
    std::string_view key;
    json::value value; ///< null: the key is missing
  } cases[] = {
      {"name", 1},
      {"path", nullptr},
      {"generation", -1},
      {"generation", 4'294'967'296},
      {"manifest", "{}"},
      {"platform", "libssl"},
      {"platform", json::array{1}},
      {"settings", nullptr},
      {"loops", 0},
      {"loops", 1025},
      {"loops", 1.5},
      {"log_level", 5},
      {"dial_timeout_us", 86'400'000'001},
      {"control_timeout_us", "5s"},
      {"tls", json::object{{"ca", "ca.pem"}}},
      {"tls", 1},
  };

  for (const auto& c : cases) {
    auto object = json::parse(to_text(request())).as_object();
    object.erase(c.key);
    if (!c.value.is_null()) object[c.key] = c.value;
    EXPECT_FALSE(parse_isolated_request(json::serialize(object))) << c.key << ' ' << c.value;
  }
  for (const auto text : {"", "[]", "{", "null"})
    EXPECT_FALSE(parse_isolated_request(text)) << text;
}

} // namespace
} // namespace switchyard::host
