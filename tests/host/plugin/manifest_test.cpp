#include <host/plugin/manifest.hpp>

#include <gtest/gtest.h>

namespace switchyard::host {
namespace {

constexpr std::string_view kWhole = R"({
  "abi": "0.5", "id": "com.example.net-rpc_2", "version": "10.0.3-rc.1",
  "description": "what a host does not know", "later": {"nested": [1, 2.5, null]},
  "protocols": [
    {"name": "rpc.single", "tag": 0, "alpn": "consul/rpc-single"},
    {"name": "rpc.raw", "tag": 255, "mode": "descriptor", "since": 3},
    {"name": "rpc", "mode": "stream", "listener_alpn": "h2",
     "trial": {"send": "0aff", "answer": "00"}}],
  "provides": [{"interface": "com.example.clock/1", "minor": 4, "registrar": true},
               {"interface": "com.example.clock/2"}],
  "requires": [{"interface": "switchyard.raft.consensus/1", "min_minor": 2, "optional": true,
                "on_swap": "drain_first"},
               {"interface": "a/0"}],
  "exclusive": true, "state": {"version": 3, "reads": [1, 2], "writes": [2]}
})";

TEST(Manifest, IsReadWhole) {
  const auto manifest = parse_manifest(kWhole);
  ASSERT_TRUE(manifest) << manifest.error().clause;

  const Manifest expected{
      "com.example.net-rpc_2",
      "10.0.3-rc.1",
      0,
      5,
      {{"rpc.single", std::uint8_t{0}, "consul/rpc-single", ServeMode::Stream},
       {"rpc.raw", std::uint8_t{255}, std::nullopt, ServeMode::Descriptor},
       {"rpc", std::nullopt, std::nullopt, ServeMode::Stream, "h2", Trial{"\n\xff", {"", 1}}}},
      {{"com.example.clock/1", 4, true}, {"com.example.clock/2", 0, false}},
      {{"switchyard.raft.consensus/1", 2, true, OnSwap::DrainFirst}, {"a/0", 0, false}},
      true,
      {3, {1, 2}, {2}}};
  EXPECT_EQ(*manifest, expected);
}

TEST(Manifest, NamesThePlaceOfWhatIsWrong) {
  // {id, version and abi, then the rest}: a manifest around one wrong thing.
  const auto with = [](std::string_view rest) {
    return R"({"abi":"0.5","id":"a","version":"1.0.0",)" + std::string{rest} + '}';
  };

  const struct {
    std::string text;
    std::string_view clause;
  } cases[] = {
      {"", "it is not JSON: incomplete JSON"},
      {"{} {}", "it is not JSON: extra data"},
      {"[]", "it is not a JSON object"},
      {"null", "it is not a JSON object"},
      {"{}", "id: is missing"},
      {R"({"id":7})", "id: is not a string"},
      {R"({"id":""})", "id: \"\" is not lower-case words joined by dots"},
      {R"({"id":"Echo"})", "id: \"Echo\" is not lower-case words joined by dots"},
      {R"({"id":"a..b"})", "id: \"a..b\" is not lower-case words joined by dots"},
      {R"({"id":"a."})", "id: \"a.\" is not lower-case words joined by dots"},
      {R"({"id":"../../etc"})", "id: \"../../etc\" is not lower-case words joined by dots"},
      {R"({"id":"1a"})", "id: \"1a\" is not lower-case words joined by dots"},
      {R"({"id":")" + std::string(65, 'a') + "\"}", "id: is longer than 64 bytes"},
      {R"({"id":"a"})", "version: is missing"},
      {R"({"id":"a","version":"1"})", "version: \"1\" is not MAJOR.MINOR.PATCH"},
      {R"({"id":"a","version":"1.0"})", "version: \"1.0\" is not MAJOR.MINOR.PATCH"},
      {R"({"id":"a","version":"1.0.0.0"})", "version: \"1.0.0.0\" is not MAJOR.MINOR.PATCH"},
      {R"({"id":"a","version":"1.0.x"})", "version: \"1.0.x\" is not MAJOR.MINOR.PATCH"},
      {R"({"id":"a","version":"1.0.0-"})", "version: \"1.0.0-\" is not MAJOR.MINOR.PATCH"},
      {R"({"id":"a","version":"1.0.0-a..1"})", "version: \"1.0.0-a..1\" is not MAJOR.MINOR.PATCH"},
      {R"({"id":"a","version":"1.0.0-a/b"})", "version: \"1.0.0-a/b\" is not MAJOR.MINOR.PATCH"},
      {R"({"id":"a","version":"1.0.0"})", "abi: is missing"},
      {R"({"id":"a","version":"1.0.0","abi":"1"})", "abi: \"1\" is not MAJOR.MINOR"},
      {R"({"id":"a","version":"1.0.0","abi":"0.1x"})", "abi: \"0.1x\" is not MAJOR.MINOR"},
      {R"({"id":"a","version":"1.0.0","abi":"0.-1"})", "abi: \"0.-1\" is not MAJOR.MINOR"},
      {R"({"id":"a","version":"1.0.0","abi":"0.65536"})", "abi: \"0.65536\" is not MAJOR.MINOR"},
      {with(R"("protocols":{})"), "protocols: is not an array"},
      {with(R"("protocols":[1])"), "protocols[0]: is not an object"},
      {with(R"("protocols":[{}])"), "protocols[0].name: is missing"},
      {with(R"("protocols":[{"name":"A b"}])"),
       "protocols[0].name: \"A b\" is not lower-case words joined by dots"},
      {with(R"("protocols":[{"name":"a"},{"name":"a"}])"),
       "protocols[1].name: \"a\" is there twice"},
      {with(R"("protocols":[{"name":"a"},{"name":"b","tag":300}])"),
       "protocols[1].tag: 300 is not in 0 to 255"},
      {with(R"("protocols":[{"name":"b","tag":-1}])"), "protocols[0].tag: -1 is not in 0 to 255"},
      {with(R"("protocols":[{"name":"b","tag":18446744073709551615}])"),
       "protocols[0].tag: 18446744073709551615 is not in 0 to 255"},
      {with(R"("protocols":[{"name":"b","tag":1.0}])"), "protocols[0].tag: is not a whole number"},
      {with(R"("protocols":[{"name":"b","tag":"4"}])"), "protocols[0].tag: is not a whole number"},
      {with(R"("protocols":[{"name":"b","alpn":""}])"),
       "protocols[0].alpn: is not a name without blanks"},
      {with(R"("protocols":[{"name":"b","alpn":"a b"}])"),
       "protocols[0].alpn: is not a name without blanks"},
      {with(R"("protocols":[{"name":"b","alpn":")" + std::string(256, 'a') + "\"}]"),
       "protocols[0].alpn: is longer than 255 bytes"},
      {with(R"("protocols":[{"name":"b","listener_alpn":"a b"}])"),
       "protocols[0].listener_alpn: is not a name without blanks"},
      {with(R"("protocols":[{"name":"b","mode":"fd"}])"),
       "protocols[0].mode: \"fd\" is neither \"stream\" nor \"descriptor\""},
      {with(R"("protocols":[{"name":"b","trial":"00"}])"), "protocols[0].trial: is not an object"},
      {with(R"("protocols":[{"name":"b","trial":{"send":"00"}}])"),
       "protocols[0].trial.answer: is missing"},
      {with(R"("protocols":[{"name":"b","trial":{"answer":""}}])"),
       "protocols[0].trial.answer: is missing"},
      {with(R"("protocols":[{"name":"b","trial":{"answer":"0"}}])"),
       "protocols[0].trial.answer: is not bytes in hex, two of 0-9a-f each"},
      {with(R"("protocols":[{"name":"b","trial":{"answer":"0G"}}])"),
       "protocols[0].trial.answer: is not bytes in hex, two of 0-9a-f each"},
      {with(R"("protocols":[{"name":"b","trial":{"answer":"00","send":7}}])"),
       "protocols[0].trial.send: is not a string"},
      {with(R"("protocols":[{"name":"b","trial":{"answer":")" + std::string(8194, '0') + "\"}}]"),
       "protocols[0].trial.answer: is longer than 8192 bytes"},
      {with(R"("provides":[{"interface":"a.clock"}])"),
       "provides[0].interface: \"a.clock\" is not an id with its major, such as a.clock/1"},
      {with(R"("provides":[{"interface":"a.clock/x"}])"),
       "provides[0].interface: \"a.clock/x\" is not an id with its major, such as a.clock/1"},
      {with(R"("provides":[{"interface":"a/1"},{"interface":"a/1"}])"),
       "provides[1].interface: \"a/1\" is there twice"},
      {with(R"("provides":[{"interface":"a/1","registrar":1}])"),
       "provides[0].registrar: is not true or false"},
      {with(R"("provides":[{"interface":"a/1","minor":4294967296}])"),
       "provides[0].minor: 4294967296 is not in 0 to 4294967295"},
      {with(R"("requires":[{"interface":"a/1","optional":"yes"}])"),
       "requires[0].optional: is not true or false"},
      {with(R"("requires":[{"interface":"a/1","on_swap":"ignore"}])"),
       "requires[0].on_swap: \"ignore\" is none of \"rebind\", \"restart\", \"drain_first\" and "
       "\"pin\""},
      {with(R"("exclusive":1)"), "exclusive: is not true or false"},
      {with(R"("state":[])"), "state: is not an object"},
      {with(R"("state":{"version":-1})"), "state.version: -1 is not in 0 to 4294967295"},
      {with(R"("state":{"reads":3})"), "state.reads: is not an array"},
      {with(R"("state":{"writes":["a"]})"), "state.writes: is not a whole number"},
      {with(R"("requires":[{"interface":"a/1"},{"min_minor":1}])"),
       "requires[1].interface: is missing"},
      {std::string(65536, ' '), "it has 65536 bytes, more than 65535"},
      {std::string(60, '['), "it is not JSON: too deep"},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.text.substr(0, 120));
    const auto manifest = parse_manifest(c.text);
    ASSERT_FALSE(manifest);
    EXPECT_EQ(manifest.error().clause, c.clause);
  }
}

TEST(Manifest, HasABoundOnItsEntries) {
  std::string entries;
  for (int i = 0; i < 257; ++i) {
    entries += (i == 0 ? "" : ",") + ("{\"name\":\"p" + std::to_string(i)) + "\"}";
  }
  const auto manifest =
      parse_manifest(R"({"abi":"0.5","id":"a","version":"1.0.0","protocols":[)" + entries + "]}");
  ASSERT_FALSE(manifest);
  EXPECT_EQ(manifest.error().clause, "protocols[256].name: is one of more than 256");
}

} // namespace
} // namespace switchyard::host
