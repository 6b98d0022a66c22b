#include <host/config/parse.hpp>

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

namespace switchyard::host {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kListener = "[[listener]]\nname = \"s\"\naddress = \"127.0.0.1:0\"\n";

std::string with_listener(std::string_view text) {
  return std::string{text} + "\n" + std::string{kListener};
}

/// Everything that is wrong with `text`, one sentence a line; empty when it is right.
std::string problems_of(std::string_view text) {
  const auto config = parse(text, "p.toml");
  return config ? "" : describe(config.error());
}

TEST(Parse, ReadsEverySetting) {
  const auto config = parse(
      R"(
[host]
data_dir = "d"
plugin_dir = "lib"
control_socket = "c.sock"
loops = 3
log_level = "debug"
on_plugin_failure = "continue"
trusted_keys = ["one.pem", "two.pem"]
[tls]
ca = "ca.pem"
certificate = "server.pem"
key = "server-key.pem"
verify_incoming = true
verify_outgoing = true
[limits]
handshake_timeout = "1s"
connections_per_client = 7
connections = 8
drain_timeout = "2s"
dial_timeout = "3s"
probe_timeout = "4s"
control_timeout = "5s"
spin = "6us"
restart_wait = "7s"
restart_delay = "8s"
[swap]
window = "0s"
health_interval = "50ms"
trial_timeout = "70ms"
generations = 2
[[listener]]
name = "server"
address = "0.0.0.0:8300"
[[listener]]
name = "grpc"
address = "[::1]:8502"
protocol = "grpc.external"
insecure = true
[[listener]]
name = "grpc_tls"
address = "0.0.0.0:8503"
protocol = "grpc.external"
tls = true
[[listener]]
name = "open"
address = "0.0.0.0:8504"
protocol = "grpc.external"
tls = true
verify_incoming = false
[plugin.zebra]
library = "zebra.so"
[plugin.ant]
library = "./ant.so"
sha256 = "abababababababababababababababababababababababababababababababab"
isolation = "process"
[[plugin.ant.route]]
protocol = "ant"
tag = 64
alpn = "x/ant"
)",
      "p.toml");

  ASSERT_TRUE(config) << describe(config.error());
  EXPECT_EQ(config->file, "p.toml");
  EXPECT_EQ(config->host.data_dir, "d");
  EXPECT_EQ(config->host.plugin_dir, "lib");
  EXPECT_EQ(control_socket(config->host), "c.sock");
  EXPECT_EQ(config->host.loops, 3u);
  EXPECT_EQ(config->host.log_level, "debug");
  EXPECT_EQ(config->host.on_plugin_failure, OnPluginFailure::Continue);
  EXPECT_EQ(config->host.trusted_keys, (std::vector<std::string>{"one.pem", "two.pem"}));
  ASSERT_TRUE(config->tls);
  EXPECT_EQ(config->tls->ca, "ca.pem");
  EXPECT_EQ(config->tls->certificate, "server.pem");
  EXPECT_EQ(config->tls->key, "server-key.pem");
  EXPECT_TRUE(config->tls->verify_incoming);
  EXPECT_TRUE(config->tls->verify_outgoing);
  EXPECT_EQ(config->limits.handshake_timeout, 1s);
  EXPECT_EQ(config->limits.connections_per_client, 7u);
  EXPECT_EQ(config->limits.connections, 8u);
  EXPECT_EQ(config->limits.drain_timeout, 2s);
  EXPECT_EQ(config->limits.dial_timeout, 3s);
  EXPECT_EQ(config->limits.probe_timeout, 4s);
  EXPECT_EQ(config->limits.control_timeout, 5s);
  EXPECT_EQ(config->limits.spin, 6us);
  EXPECT_EQ(config->limits.restart_wait, 7s);
  EXPECT_EQ(config->limits.restart_delay, 8s);
  EXPECT_EQ(config->swap.window, 0s);
  EXPECT_EQ(config->swap.health_interval, 50ms);
  EXPECT_EQ(config->swap.trial_timeout, 70ms);
  EXPECT_EQ(config->swap.generations, 2u);
  ASSERT_EQ(config->listeners.size(), 4u);
  EXPECT_EQ(config->listeners[0].name, "server");
  EXPECT_EQ(config->listeners[0].address, "0.0.0.0:8300");
  EXPECT_EQ(config->listeners[0].place.line, 32u);
  EXPECT_EQ(config->listeners[1].protocol, "grpc.external");
  EXPECT_TRUE(config->listeners[1].insecure);
  EXPECT_FALSE(config->listeners[1].tls);
  EXPECT_TRUE(config->listeners[2].tls);
  EXPECT_TRUE(config->listeners[2].verify_incoming) << "as [tls] says";
  EXPECT_TRUE(config->listeners[3].tls);
  EXPECT_FALSE(config->listeners[3].verify_incoming);
  ASSERT_EQ(config->plugins.size(), 2u);
  EXPECT_EQ(config->plugins[0].name, "zebra") << "plugins keep the order of the file";
  EXPECT_EQ(config->plugins[0].config, "{}");
  EXPECT_EQ(config->plugins[0].sha256, "");
  EXPECT_EQ(config->plugins[0].isolation, Isolation::None);
  EXPECT_EQ(config->plugins[1].isolation, Isolation::Process);
  EXPECT_EQ(config->plugins[1].isolation_place.line, 56u);
  EXPECT_EQ(config->plugins[1].library, "./ant.so");
  EXPECT_EQ(
      config->plugins[1].sha256,
      "abababababababababababababababababababababababababababababababab");
  EXPECT_EQ(config->plugins[1].trusted_keys, config->host.trusted_keys);
  ASSERT_EQ(config->plugins[1].routes.size(), 1u);
  EXPECT_EQ(config->plugins[1].routes[0].protocol, "ant");
  EXPECT_EQ(config->plugins[1].routes[0].tag, 64);
  EXPECT_EQ(config->plugins[1].routes[0].alpn, "x/ant");
  EXPECT_EQ(config->plugins[1].routes[0].place.line, 57u);
}

TEST(Parse, KeepsDefaultsForWhatIsNotSaid) {
  const auto config = parse(kListener, "p.toml");
  ASSERT_TRUE(config) << describe(config.error());
  EXPECT_FALSE(config->tls);
  EXPECT_EQ(control_socket(config->host), "data/control.sock");
  EXPECT_EQ(config->limits.handshake_timeout, Limits{}.handshake_timeout);
  EXPECT_TRUE(config->plugins.empty());
}

TEST(Parse, MakesCanonicalJsonOfAPluginsTable) {
  const struct {
    std::string_view toml;
    std::string_view json;
  } cases[] = {
      {"{}", "{}"},
      {"{ b = 1, a = \"x\" }", R"({"a":"x","b":1})"},
      {"{ on = true, list = [1, -2, [\"\"]] }", R"({"list":[1,-2,[""]],"on":true})"},
      {"{ a.b.c = 0x10 }", R"({"a":{"b":{"c":16}}})"},
      {"{ text = \"q\\\"\\n\\u00e9\" }", "{\"text\":\"q\\\"\\n\u00e9\"}"},
      {"{ half = 0.5 }", R"({"half":5E-1})"},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.toml);
    const auto config = parse(
        with_listener("[plugin.x]\nlibrary = \"./x.so\"\nconfig = " + std::string{c.toml}),
        "p.toml");
    ASSERT_TRUE(config) << describe(config.error());
    EXPECT_EQ(config->plugins[0].config, c.json);
  }
}

TEST(Parse, NamesFileLineKeyAndWhatWouldBeRight) {
  const struct {
    std::string_view toml; ///< before the one good listener
    std::string_view problem;
  } cases[] = {
      {"[hots]", "p.toml:1: hots: no such key; did you mean \"host\"?\n"},
      {"answer = 42",
       "p.toml:1: answer: no such key; this table takes host, tls, limits, swap, listener, "
       "plugin\n"},
      {"[limits]\n\nhandshake_timout = \"5s\"",
       "p.toml:3: limits.handshake_timout: no such key; did you mean \"handshake_timeout\"?\n"},
      {"[limits]\nhandshake_timeout = 5",
       "p.toml:2: limits.handshake_timeout: takes a duration such as \"5s\", not an integer\n"},
      {"[limits]\nhandshake_timeout = \"5 s\"",
       "p.toml:2: limits.handshake_timeout: \"5 s\" is no duration; write \"30us\", \"250ms\", "
       "\"5s\" or \"2m\"\n"},
      {"[limits]\nhandshake_timeout = \"0s\"",
       "p.toml:2: limits.handshake_timeout: takes 1ms to 24h in steps of 1ms, not 0s\n"},
      {"[limits]\ndial_timeout = \"1500us\"",
       "p.toml:2: limits.dial_timeout: takes 1ms to 24h in steps of 1ms, not 1500us\n"},
      {"[swap]\ngenerations = 1",
       "p.toml:2: swap.generations: takes 2 to 64: the old one and the new one\n"},
      {"[limits]\nspin = \"1s\"",
       "p.toml:2: limits.spin: takes 0s to 1ms in steps of 1us, not 1s\n"},
      {"[limits]\nconnections_per_client = -1",
       "p.toml:2: limits.connections_per_client: takes 0 to 10000000, not -1\n"},
      {"[limits]\nconnections = 1.5",
       "p.toml:2: limits.connections: takes an integer, not a float\n"},
      {"[host]\nloops = 4096", "p.toml:2: host.loops: takes 0 to 1024, not 4096\n"},
      {"[host]\nloops = \"two\"", "p.toml:2: host.loops: takes an integer, not a string\n"},
      {"[host]\ndata_dir = \"\"", "p.toml:2: host.data_dir: must not be empty or hold a NUL\n"},
      {"[host]\ndata_dir = \"a\\u0000b\"",
       "p.toml:2: host.data_dir: must not be empty or hold a NUL\n"},
      {"[host]\nlog_level = \"loud\"",
       "p.toml:2: host.log_level: takes one of trace, debug, info, warn, error, not \"loud\"\n"},
      {"[host]\non_plugin_failure = \"retry\"",
       "p.toml:2: host.on_plugin_failure: takes exit or continue, not \"retry\"\n"},
      {"[host]\ntrusted_keys = [\"k.pem\", 1]",
       "p.toml:2: host.trusted_keys: takes names of PEM files\n"},
      {"[plugin.a]\nlibrary = \"a.so\"\nsha256 = \"ABCD\"",
       "p.toml:3: plugin.a.sha256: takes 64 digits of 0-9 and a-f (plugin hash FILE prints "
       "them)\n"},
      {"[plugin.a]\nlibrary = \"a.so\"\nisolation = \"thread\"",
       "p.toml:3: plugin.a.isolation: takes none or process, not \"thread\"\n"},
      {"host = true", "p.toml:1: host: takes a table, written [host], not true or false\n"},
      {"[[host]]", "p.toml:1: host: takes a table, written [host], not an array\n"},
      {"[tls]",
       "p.toml:1: tls.certificate: must name a PEM file (cert create makes one)\n"
       "p.toml:1: tls.key: must name the PEM file with the certificate's private key\n"},
      {"[tls]\ncertificate = \"c\"\nkey = \"k\"\nverify_incoming = true",
       "p.toml:1: tls.ca: must name a PEM file, because verify_incoming is on\n"},
      {"[tls]\ncertificate = \"c\"\nkey = \"k\"\nverify_outgoing = true",
       "p.toml:1: tls.ca: must name a PEM file, because verify_outgoing is on\n"},
      {"[tls]\ncertificate = \"c\"\nkey = \"k\"\nverify_incoming = \"yes\"",
       "p.toml:4: tls.verify_incoming: takes true or false, not a string\n"},
      {"plugin = 1", "p.toml:1: plugin: takes tables, written [plugin.NAME], not an integer\n"},
      {"plugin.x = 1", "p.toml:1: plugin.x: takes a table, written [plugin.x]\n"},
      {"[plugin.\"A B\"]",
       "p.toml:1: plugin.A B: takes 1 to 64 characters of a-z, 0-9, '_', '-' and '.'\n"},
      {"[plugin.x]",
       "p.toml:1: plugin.x.library: must be set: the plugin's file, such as \"x.so\"\n"},
      {"[plugin.x]\nlibary = \"./x.so\"",
       "p.toml:1: plugin.x.library: must be set: the plugin's file, such as \"x.so\"\n"
       "p.toml:2: plugin.x.libary: no such key; did you mean \"library\"?\n"},
      {"[plugin.x]\nlibrary = \"./x.so\"\nconfig = 1",
       "p.toml:3: plugin.x.config: takes a table, not an integer\n"},
      {"[plugin.x]\nlibrary = \"./x.so\"\n[plugin.x.config]\nwhen = 07:32:00",
       "p.toml:4: plugin.x.config.when: cannot be a date or time; write it as a string\n"},
      {"[plugin.x]\nlibrary = \"./x.so\"\nconfig = { a = [0.5,\n nan] }",
       "p.toml:4: plugin.x.config.a[1]: takes a finite number\n"},
      {"[plugin.x]\nlibrary = \"./x.so\"\nroute = [ 1 ]",
       "p.toml:3: plugin.x.route[0]: takes a table\n"},
      {"[plugin.x]\nlibrary = \"./x.so\"\n[[plugin.x.route]]\ntag = 64",
       "p.toml:3: plugin.x.route[0].protocol: must be set: the protocol of the plugin's manifest "
       "whose route this is\n"},
      {"[plugin.x]\nlibrary = \"./x.so\"\n[[plugin.x.route]]\nprotocol = \"x\"",
       "p.toml:3: plugin.x.route[0].tag: must be set, or alpn, or both: a route without them leads "
       "nowhere\n"},
      {"[plugin.x]\nlibrary = \"./x.so\"\n[[plugin.x.route]]\nprotocol = \"x\"\ntag = 256",
       "p.toml:5: plugin.x.route[0].tag: takes 0 to 255, not 256\n"},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.toml);
    EXPECT_EQ(problems_of(with_listener(c.toml)), c.problem);
  }
}

TEST(Parse, RefusesRoutesThatTheOpeningCannotReport) {
  for (int tag = 0; tag < 256; ++tag) {
    SCOPED_TRACE(tag);
    const auto text = with_listener(
        "[plugin.x]\nlibrary = \"./x.so\"\n[[plugin.x.route]]\nprotocol = \"x\"\ntag = " +
        std::to_string(tag));
    const auto reserved = tag == 3 || (tag >= 0x14 && tag <= 0x17);
    EXPECT_EQ(
        problems_of(text),
        reserved ? "p.toml:5: plugin.x.route[0].tag: " + std::to_string(tag) +
                       " means TLS; take another one than 3 and 20 to 23\n"
                 : "");
  }
}

TEST(Parse, RefusesTwoRoutesForOneTagOrAlpn) {
  constexpr std::string_view kText = R"([plugin.a]
library = "./a.so"
[[plugin.a.route]]
protocol = "a"
tag = 64
alpn = "x"
[plugin.b]
library = "./b.so"
[[plugin.b.route]]
protocol = "b"
tag = 64
[[plugin.b.route]]
protocol = "c"
alpn = "x"
)";
  EXPECT_EQ(
      problems_of(with_listener(kText)),
      "p.toml:9: plugin.b.route[0].tag: 64 is already claimed by plugin.a.route[0] in line 3\n"
      "p.toml:12: plugin.b.route[1].alpn: \"x\" is already claimed by plugin.a.route[0] in line "
      "3\n");
}

TEST(Parse, JudgesListeners) {
  const struct {
    std::string_view toml;
    std::string_view problem;
  } cases[] = {
      {"",
       "p.toml: listener: there is none; add [[listener]] with name and address = "
       "\"127.0.0.1:8300\"\n"},
      {"listener = \"127.0.0.1:8300\"",
       "p.toml: listener: there is none; add [[listener]] with name and address = "
       "\"127.0.0.1:8300\"\n"
       "p.toml:1: listener: takes tables, written [[listener]], not a string\n"},
      {"[[listener]]",
       "p.toml:1: listener[0].name: must be set: what the log and status call this listener\n"
       "p.toml:1: listener[0].address: must be set: for example \"127.0.0.1:8300\"\n"},
      {"[[listener]]\nname = \"Big\"\naddress = \"[::1]:1\"",
       "p.toml:2: listener[0].name: takes 1 to 64 characters of a-z, 0-9, '_', '-' and '.'\n"},
      {"[[listener]]\nname = \"a\"\naddress = \"localhost:8300\"",
       "p.toml:3: listener[0].address: \"localhost:8300\" is no address; write \"127.0.0.1:8300\" "
       "or \"[::1]:8300\"\n"},
      {"[[listener]]\nname = \"a\"\naddress = \"0.0.0.0:8300\"",
       "p.toml:1: listener[0].address: 0.0.0.0:8300 can be reached from other machines and there "
       "is "
       "no [tls]; add [tls], listen on 127.0.0.1, or say insecure = true\n"},
      {"[[listener]]\nname = \"a\"\naddress = \"0.0.0.0:8300\"\ninsecure = true", ""},
      {"[tls]\ncertificate = \"c\"\nkey = \"k\"\n[[listener]]\nname = \"a\"\naddress = "
       "\"0.0.0.0:8300\"",
       ""},
      {"[tls]\ncertificate = \"c\"\nkey = \"k\"\n[[listener]]\nname = \"a\"\naddress = "
       "\"0.0.0.0:8300\"\nprotocol = \"p\"",
       "p.toml:4: listener[0].address: 0.0.0.0:8300 can be reached from other machines and a "
       "listener of one protocol speaks clear text; say tls = true, listen on 127.0.0.1, or say "
       "insecure = true\n"},
      {"[tls]\ncertificate = \"c\"\nkey = \"k\"\n[[listener]]\nname = \"a\"\naddress = "
       "\"0.0.0.0:8300\"\nprotocol = \"p\"\ntls = true",
       ""},
      {"[[listener]]\nname = \"a\"\naddress = \"[::1]:1\"\nprotocol = \"p\"\ntls = true",
       "p.toml:1: listener[0].tls: needs a certificate; add [tls] with certificate and key\n"},
      {"[tls]\ncertificate = \"c\"\nkey = \"k\"\n[[listener]]\nname = \"a\"\naddress = "
       "\"[::1]:1\"\ntls = true",
       "p.toml:4: listener[0].tls: needs protocol; without it the first byte of a connection tells "
       "TLS\n"},
      {"[[listener]]\nname = \"a\"\naddress = \"[::1]:1\"\nprotocol = \"p\"\ntls = 1",
       "p.toml:5: listener[0].tls: takes true or false, not an integer\n"},
      {"[tls]\ncertificate = \"c\"\nkey = \"k\"\n[[listener]]\nname = \"a\"\naddress = "
       "\"[::1]:1\"\nprotocol = \"p\"\ntls = true\nverify_incoming = true",
       "p.toml:4: listener[0].verify_incoming: needs a CA; set tls.ca, or verify_incoming = "
       "false\n"},
      {"[tls]\ncertificate = \"c\"\nkey = \"k\"\nca = \"ca\"\n[[listener]]\nname = \"a\"\naddress "
       "= \"[::1]:1\"\nprotocol = \"p\"\nverify_incoming = true",
       "p.toml:9: listener[0].verify_incoming: is of a listener with tls = true; elsewhere [tls] "
       "says it\n"},
      {"[[listener]]\nname = \"a\"\naddress = \"[::1]:1\"\n[[listener]]\nname = \"a\"\naddress = "
       "\"[::1]:2\"",
       "p.toml:4: listener[1].name: \"a\" is already the listener in line 1\n"},
      {"[[listener]]\nname = \"a\"\naddress = \"[::1]:1\"\n[[listener]]\nname = \"b\"\naddress = "
       "\"[0::1]:1\"",
       "p.toml:4: listener[1].address: [0::1]:1 is already taken by the listener in line 1\n"},
      {"[[listener]]\nname = \"a\"\naddress = \"[::1]:0\"\n[[listener]]\nname = \"b\"\naddress = "
       "\"[::1]:0\"",
       ""},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.toml);
    EXPECT_EQ(problems_of(c.toml), c.problem);
  }
}

TEST(Parse, RefusesAControlSocketThatTheSystemCannotName) {
  const std::string longest(107, 's');
  EXPECT_EQ(problems_of(with_listener("[host]\ncontrol_socket = \"" + longest + "\"")), "");
  EXPECT_EQ(
      problems_of(with_listener("[host]\ncontrol_socket = \"" + longest + "t\"")),
      "p.toml:1: host.control_socket: the control socket \"" + longest +
          "t\" is 108 bytes long and the system takes at most 107; set host.control_socket to a "
          "shorter path\n");
  EXPECT_EQ(
      problems_of(with_listener("[host]\ndata_dir = \"" + longest + "\"")).substr(0, 33),
      "p.toml:1: host.data_dir: the cont");
}

TEST(Parse, ReportsAllProblemsInTheOrderOfTheFile) {
  EXPECT_EQ(
      problems_of(
          "[plugin.x]\nlib = 1\n[[listener]]\nname = 2\naddress = \"[::1]:0\"\n[host]\nlops = 3"),
      "p.toml:1: plugin.x.library: must be set: the plugin's file, such as \"x.so\"\n"
      "p.toml:2: plugin.x.lib: no such key; this table takes library, config, sha256, "
      "isolation, route\n"
      "p.toml:4: listener[0].name: takes a string, not an integer\n"
      "p.toml:7: host.lops: no such key; did you mean \"loops\"?\n");
}

TEST(Parse, TellsWhereTheTextStopsBeingToml) {
  for (const auto* text :
       {"[host]\nloops = ", "[host]\nloops", "a = 1\na = 2", "[x\n", "a = 07:32:В", "\xff\xfe"}) {
    SCOPED_TRACE(text);
    const auto config = parse(text, "p.toml");
    ASSERT_FALSE(config);
    ASSERT_EQ(config.error().problems.size(), 1u);
    EXPECT_GE(config.error().problems[0].line, 1u);
    EXPECT_FALSE(config.error().problems[0].text.empty());
  }
}

TEST(Parse, BoundsTheDepthOfAPluginsTable) {
  const auto nested = [](std::size_t depth) {
    return "[plugin.x]\nlibrary = \"./x.so\"\nconfig = { a = " + std::string(depth, '[') +
           std::string(depth, ']') + " }";
  };
  EXPECT_EQ(problems_of(with_listener(nested(31))), "");
  EXPECT_NE(
      problems_of(with_listener(nested(32))).find("is nested more than 32 deep"),
      std::string::npos);
  EXPECT_NE(problems_of(with_listener(nested(100'000))), "") << "must not exhaust the stack";
}

TEST(Load, ReadsTheFileAndSaysWhyItCannot) {
  const auto path = testing::TempDir() + "/load_test.toml";
  std::ofstream{path} << kListener;
  const auto config = load(path);
  ASSERT_TRUE(config) << describe(config.error());
  EXPECT_EQ(config->file, path);

  std::ofstream{path} << std::string(1 << 20, '#') << kListener;
  EXPECT_EQ(describe(load(path).error()), path + ": is larger than 1 MiB\n");
  std::remove(path.c_str());

  EXPECT_EQ(
      describe(load(path).error()),
      path + ": cannot be read: No such file or directory; --config FILE names another file\n");
  EXPECT_EQ(describe(load("/").error()), "/: cannot be read: is it a directory?\n");
}

} // namespace
} // namespace switchyard::host
