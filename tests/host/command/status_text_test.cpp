#include <host/command/status_text.hpp>

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace switchyard::host {
namespace {

boost::json::object object(std::string_view text) {
  return boost::json::parse(text).as_object();
}

TEST(StatusText, ShowsWhatTheServerDoes) {
  EXPECT_EQ(
      status_text(object(R"({
        "version": "0.1.0", "pid": 4711, "uptime_s": 3725.9, "ready": true, "loops": 2,
        "config": "plugins.toml",
        "listeners": [
          {"name": "server", "address": "127.0.0.1:8300", "protocol": "", "accepted": 12},
          {"name": "grpc", "address": "[::1]:8502", "protocol": "grpc.external", "accepted": 0},
          {"name": "grpc_tls", "address": "[::1]:8503", "protocol": "grpc.external", "tls": true,
           "accepted": 3}],
        "connections": {"open": 2, "accepted": 12,
                        "closed": {"finished": 9, "timed-out": 0, "no-route": 1}},
        "plugins": [
          {"name": "netrpc", "id": "switchyard.netrpc", "version": "0.1.0", "state": "serving",
           "why": "", "generation": 3, "connections": 2, "errors": 1,
           "generations": [
             {"generation": 3, "state": "serving", "version": "0.1.0", "connections": 2},
             {"generation": 2, "state": "draining", "version": "0.0.9", "connections": 7,
              "errors": 0}],
           "protocols": ["rpc.single", "rpc.multi"]},
          {"name": "broken", "state": "failed", "why": "is empty", "generation": 0},
          {"name": "apart", "state": "serving", "version": "1.0.0", "generation": 1, "isolation": "process",
           "process": {"pid": 4712, "restarts": 1, "last_end": "exit code 1"
}
}]
})")),
      "switchyard 0.1.0, ready, up 1h2m, pid 4711, 2 loops, plugins.toml\n"
      "\n"
      "LISTENER  ADDRESS         PROTOCOL              ACCEPTED\n"
      "server    127.0.0.1:8300  by tag and ALPN             12\n"
      "grpc      [::1]:8502      grpc.external                0\n"
      "grpc_tls  [::1]:8503      grpc.external in TLS         3\n"
      "\n"
      "PLUGIN  STATE     VERSION  GENERATION  CONNECTIONS  ERRORS  PROTOCOLS\n"
      "netrpc  serving   0.1.0             3            2       1  rpc.single, rpc.multi\n"
      "-       draining  0.0.9             2            7       0  -\n"
      "broken  failed    -                 0            -       -  -\n"
      "apart   serving   1.0.0             1            -       -  -\n"
      "apart is isolated: process 4712, 1 restart, last end: exit code 1\n"
      "\n"
      "connections: 2 open, 12 accepted; closed: 9 finished, 1 no-route\n");
}

TEST(StatusText, PutsUpWithAServerOfAnotherVersion) {
  EXPECT_EQ(
      status_text(object(R"({"listeners": [1, {"name": []}], "plugins": "?", "uptime_s": "long",
                             "connections": {"closed": 5}, "news": {}})")),
      "switchyard , not ready, up , pid ,  loops, \n"
      "\n"
      "LISTENER  ADDRESS  PROTOCOL         ACCEPTED\n"
      "-         -        by tag and ALPN         -\n"
      "\n"
      "connections:  open,  accepted\n");
}

TEST(StatusText, WritesUptimeInTwoUnits) {
  const struct {
    std::string_view seconds;
    std::string_view text;
  } cases[] = {
      {"0", "up 0s,"},
      {"59.9", "up 59s,"},
      {"60", "up 1m0s,"},
      {"3599", "up 59m59s,"},
      {"86399", "up 23h59m,"},
      {"90000", "up 1d1h,"},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.seconds);
    const auto text = status_text(object("{\"uptime_s\": " + std::string{c.seconds} + "}"));
    EXPECT_NE(text.find(c.text), std::string::npos) << text;
  }
}

TEST(PluginText, SaysWhy) {
  EXPECT_EQ(
      plugin_text(
          object(R"({"name": "raft", "state": "failed", "why": "raft.so is empty: copy it again",
                             "library": "raft.so", "staged": "", "generation": 1, "protocols": []})")),
      "raft: failed\n"
      "  why          raft.so is empty: copy it again\n"
      "  generation   1\n"
      "  library      raft.so\n");
}

TEST(PluginText, NamesTheOtherGenerationsAndTheLastSwap) {
  EXPECT_EQ(
      plugin_text(object(R"({"name": "rpc", "state": "serving", "generation": 1, "generations": [
          {"generation": 1, "state": "serving"},
          {"generation": 2, "version": "2.0.0", "state": "draining", "connections": 3, "why": ""},
          {"generation": 1, "version": "1.0.0", "state": "retained", "why": "a call hangs"}],
        "last_swap": {"result": "rolled back", "why": "it was not well"}})")),
      "rpc: serving\n"
      "  generation   1\n"
      "  besides      2 (2.0.0) draining, 3 connections\n"
      "  besides      1 (1.0.0) retained: a call hangs\n"
      "  last swap    rolled back: it was not well\n");
}

TEST(PluginText, SaysWhatWasSwappedIn) {
  const auto text = plugin_text(object(R"({
    "name": "netrpc", "state": "serving",
    "swapped": {"source": "/x/netrpc.so", "version": "0.2.0", "crashes": 2,
                "quarantined": "version 0.2.0 has crashed"}})"));
  EXPECT_THAT(text, testing::ContainsRegex("swapped in +0\\.2\\.0 from /x/netrpc\\.so\n"));
  EXPECT_THAT(text, testing::ContainsRegex("crashes +2\n"));
  EXPECT_THAT(text, testing::ContainsRegex("quarantine +version 0\\.2\\.0 has crashed\n"));
}

TEST(ReloadText, ListsWhatHasChanged) {
  EXPECT_EQ(
      reload_text(object(R"({
        "file": "plugins.toml", "dry_run": false, "certificates": true,
        "changes": [
          {"what": "plugin", "name": "grpc", "change": "added", "from": "", "to": "0.1.0"},
          {"what": "setting", "name": "limits.spin", "change": "changed", "from": "50us",
           "to": "30us"}, 1]})")),
      "plugins.toml is loaded\n"
      "  WHAT     NAME         CHANGE   FROM  TO\n"
      "  plugin   grpc         added    -     0.1.0\n"
      "  setting  limits.spin  changed  50us  30us\n"
      "  certificates were read anew\n");
  EXPECT_EQ(
      reload_text(
          object(R"({"file": "p.toml", "dry_run": true, "certificates": true, "changes": []})")),
      "p.toml can be loaded; nothing has changed in it\n");
}

TEST(SwapText, TellsPhasesAndTheEnd) {
  EXPECT_EQ(
      phase_text(object(R"({"phase": "verified", "generation": 2, "version": "0.2.0"})")),
      "verified   generation 2, version 0.2.0\n");
  EXPECT_EQ(phase_text(object(R"({"phase": "probed"})")), "probed\n");
  EXPECT_EQ(
      swap_text(
          object(R"({"plugin": "rpc", "version": "2.0.0", "generation": 2, "window_ms": 10})")),
      "rpc 2.0.0 serves as generation 2; rollback is possible for 10 ms\n");
  EXPECT_EQ(
      swap_text(
          object(R"({"plugin": "rpc", "version": "1.0.0", "generation": 1, "taken_back": 2})")),
      "rpc 1.0.0 serves as generation 1 again; generation 2 leaves\n");
}

TEST(PlanText, NamesWhatTheSwapWouldMeet) {
  EXPECT_EQ(
      plan_text(object(R"({"plugin": "rpc", "from": {"version": "1.0.0", "library": "a.so"},
        "to": {"version": "2.0.0", "library": "b.so", "protocols": ["a", "b"], "trials": ["b"]},
        "connections": 4, "unload": {"expected": false, "doubts": ["it has something thread_local"],
                                     "ends_first": ["4 connections", "1 thread"]},
        "dependents": [{"plugin": "kv", "interface": "x/1"}, {"plugin": "ui", "interface": "x/1"}],
        "registrations": ["x/1 \"KV.Get\" of plugin kv"], "stayed_in_memory": [],
        "not_now": "wait"})")),
      "rpc: a swap would go from\n"
      "  1.0.0  a.so\n"
      "to\n"
      "  2.0.0  b.so\n"
      "trial connections  b\n"
      "used by            kv through x/1, ui through x/1\n"
      "registered with it x/1 \"KV.Get\" of plugin kv\n"
      "open connections   4\n"
      "old one unmapped   doubtful: it has something thread_local\n"
      "ends before that   4 connections, 1 thread\n"
      "stayed in memory   none\n"
      "but not now: wait\n");
}

} // namespace
} // namespace switchyard::host
