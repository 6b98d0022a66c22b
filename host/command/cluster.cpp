#include "cluster.hpp"

#include "report.hpp"
#include "server_answer.hpp"
#include "table.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <array>
#include <cstdio>
#include <unistd.h>

namespace switchyard::host {

namespace json = boost::json;

namespace {

std::string text(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string{value->get_string()} : std::string{};
}

std::string number(const json::object& object, std::string_view part, std::string_view key) {
  const auto* of = object.if_contains(part);
  const auto* value =
      of != nullptr && of->is_object() ? of->get_object().if_contains(key) : nullptr;
  return value != nullptr ? json::serialize(*value) : std::string{};
}

std::string peers_text(const json::object& answer) {
  Table table{{{"SERVER"}, {"ADDRESS"}, {"VOTE"}, {"ROLE"}}};
  const auto* servers = answer.if_contains("servers");
  if (servers != nullptr && servers->is_array()) {
    for (const auto& one : servers->get_array()) {
      const auto* server = one.if_object();
      if (server == nullptr) continue;
      const auto yes = [&](std::string_view key) {
        const auto* value = server->if_contains(key);
        return value != nullptr && *value == true;
      };
      table.add(
          {text(*server, "id"),
           text(*server, "address"),
           yes("voter") ? "yes" : "no",
           yes("leader") ? "leader" : ""});
    }
  }
  std::string shown = table.text();
  shown += "\nthis server: " + text(answer, "id") + ", " + text(answer, "role") + " in term " +
           (answer.if_contains("term") != nullptr ? json::serialize(answer.at("term")) : "") +
           "\nlog: committed " + number(answer, "log", "committed") + ", applied " +
           number(answer, "log", "applied") + ", last " + number(answer, "log", "last") +
           ", snapshot " + number(answer, "log", "snapshot") + "\n";
  const auto* machine = answer.if_contains("state_machine");
  if (machine != nullptr && *machine == false) {
    shown += "no state machine is registered: nothing is applied\n";
  }
  return shown;
}

/// Asks and says `done` when all went well.
ExitCode carry_out(const Target& target, const json::object& request, const std::string& done) {
  return with_answer(target, request, [&](const json::object& answer) {
    if (target.output == Output::Json) {
      print(answer);
    } else {
      print(done + "\n");
    }
    return kDone;
  });
}

/// True if the operator means it, having read `warning`; otherwise the code to end with.
bool meant(const Target& target, bool yes, const std::string& warning, ExitCode& code) {
  if (yes) return true;
  if (target.output == Output::Json || ::isatty(STDIN_FILENO) == 0) {
    code = report(target.output, kUsage, warning + " Say --yes if that is meant.");
    return false;
  }
  std::printf("%s\nGo on? [y/N] ", warning.c_str());
  std::fflush(stdout);
  std::array<char, 16> answer{};
  const bool said = std::fgets(answer.data(), answer.size(), stdin) != nullptr &&
                    (answer[0] == 'y' || answer[0] == 'Y');
  if (!said) code = report(target.output, kFailed, "nothing was changed");
  return said;
}

} // namespace

ExitCode cluster_peers(const Target& target) {
  return with_answer(target, {{"command", "cluster.peers"}}, [&](const json::object& answer) {
    if (target.output == Output::Json) {
      print(answer);
    } else {
      print(peers_text(answer));
    }
    return kDone;
  });
}

ExitCode cluster_add(const Target& target, const ClusterOrder& order) {
  return carry_out(
      target,
      {{"command", "cluster.add"},
       {"id", order.id},
       {"address", order.address},
       {"voter", !order.nonvoter}},
      order.id + (order.nonvoter ? " is a member without a vote" : " is a member"));
}

ExitCode cluster_transfer(const Target& target, const ClusterOrder& order) {
  return carry_out(
      target,
      {{"command", "cluster.transfer"}, {"id", order.id}},
      order.id.empty() ? "another server leads" : order.id + " leads");
}

ExitCode cluster_snapshot(const Target& target) {
  return carry_out(
      target, {{"command", "cluster.snapshot"}}, "a snapshot of this server is durable");
}

ExitCode cluster_remove(const Target& target, const ClusterOrder& order) {
  ExitCode code = kDone;
  const auto warning =
      "This takes " + order.id +
      " out of the cluster. With fewer voters the cluster bears fewer failures: of 3 one may fail, "
      "of 2 none. The server itself goes on running, and must be emptied before it joins again.";
  if (!meant(target, order.yes, warning, code)) return code;
  return carry_out(
      target,
      {{"command", "cluster.remove"}, {"id", order.id}},
      order.id + " is no member any more");
}

ExitCode cluster_bootstrap(const Target& target, const ClusterOrder& order) {
  json::array servers;
  for (const auto& founder : order.founders) {
    const auto equals = founder.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == founder.size()) {
      return report(target.output, kUsage, "a server is NODE=IP:PORT, not \"" + founder + "\"");
    }
    servers.push_back(
        json::object{{"id", founder.substr(0, equals)}, {"address", founder.substr(equals + 1)}});
  }
  ExitCode code = kDone;
  const std::string warning =
      "This begins a new cluster on this server. Do it once, and never on a server that is to join "
      "one that exists: two clusters cannot be made one.";
  if (!meant(target, order.yes, warning, code)) return code;
  return carry_out(
      target,
      {{"command", "cluster.bootstrap"}, {"servers", std::move(servers)}},
      "the cluster has begun");
}

ExitCode cluster_recover(const Target& target, const ClusterOrder& order) {
  ExitCode code = kDone;
  const std::string warning =
      "This makes this server the only member of its cluster. What had not reached it is lost, "
      "even "
      "if it was acknowledged; what was not certain yet becomes so. If another server of the old "
      "cluster still runs, there are two clusters then. Stop the others, empty them, choose the "
      "server whose log is the longest, and add the others to it afterwards.";
  if (!meant(target, order.yes, warning, code)) return code;
  return carry_out(
      target, {{"command", "cluster.recover"}}, "this server is the only member of its cluster");
}

} // namespace switchyard::host
