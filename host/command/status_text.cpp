#include "status_text.hpp"

#include "table.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <cstdint>
#include <string_view>
#include <utility>

namespace switchyard::host {
namespace {

namespace json = boost::json;
using enum Table::Align;

/// A scalar or a list of scalars as a person writes it.
std::string text_of(const json::value& value) {
  if (value.is_null()) return {};
  if (const auto* text = value.if_string()) return std::string{*text};
  if (const auto* flag = value.if_bool()) return *flag ? "yes" : "no";
  if (const auto* list = value.if_array()) {
    std::string all;
    for (const auto& element : *list)
      all += (all.empty() ? "" : ", ") + text_of(element);
    return all;
  }
  return json::serialize(value);
}

std::string field(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value == nullptr ? std::string{} : text_of(*value);
}

/// The array under `key`, or an empty one.
const json::array& list(const json::object& object, std::string_view key) {
  static const json::array kNone;
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_array() ? value->get_array() : kNone;
}

std::string uptime(const json::object& status) {
  const auto* value = status.if_contains("uptime_s");
  if (value == nullptr || !value->is_number()) return {};

  boost::system::error_code inexact;
  const auto whole = static_cast<std::uint64_t>(value->to_number<double>(inexact));
  const auto days = whole / 86'400;
  const auto hours = whole / 3'600 % 24;
  const auto minutes = whole / 60 % 60;
  if (days != 0) return std::to_string(days) + "d" + std::to_string(hours) + "h";
  if (hours != 0) return std::to_string(hours) + "h" + std::to_string(minutes) + "m";
  if (minutes != 0) return std::to_string(minutes) + "m" + std::to_string(whole % 60) + "s";
  return std::to_string(whole) + "s";
}

std::string listeners_text(const json::array& listeners) {
  Table table{{{"LISTENER"}, {"ADDRESS"}, {"PROTOCOL"}, {"ACCEPTED", Right}}};
  for (const auto& value : listeners) {
    if (!value.is_object()) continue;
    const auto& listener = value.get_object();
    auto protocol = field(listener, "protocol");
    if (protocol.empty()) protocol = "by tag and ALPN";
    if (field(listener, "tls") == "yes") protocol += " in TLS";
    table.add(
        {field(listener, "name"),
         field(listener, "address"),
         std::move(protocol),
         field(listener, "accepted")});
  }
  return table.text();
}

std::string connections_text(const json::object& connections) {
  auto line = "connections: " + field(connections, "open") + " open, " +
              field(connections, "accepted") + " accepted";
  const auto* closed = connections.if_contains("closed");
  if (closed == nullptr || !closed->is_object()) return line + "\n";
  std::string_view before = "; closed: ";
  for (const auto& [reason, count] : closed->get_object()) {
    const auto number = text_of(count);
    if (number == "0") continue;
    line += std::string{before} + number + " " + std::string{reason};
    before = ", ";
  }
  return line + "\n";
}

/// "4711, 2 restarts, last end: signal 9 (Killed)"; empty for a plugin without one.
std::string process_text(const json::object& of) {
  const auto* value = of.if_contains("process");
  if (value == nullptr || !value->is_object()) return {};
  const auto& process = value->get_object();
  const auto pid = field(process, "pid");
  auto text = pid == "0" ? "none now" : pid;
  const auto restarts = field(process, "restarts");
  text += ", " + restarts + (restarts == "1" ? " restart" : " restarts");
  if (const auto end = field(process, "last_end"); !end.empty()) text += ", last end: " + end;
  return text;
}

/// The protocols of `of` that a swap speaks before the flip; empty where there is no protocol.
std::string trials_text(const json::object& of) {
  if (!of.contains("trials") || list(of, "protocols").empty()) return {};
  const auto trials = field(of, "trials");
  return trials.empty() ? "none offered by its manifest" : trials;
}

} // namespace

std::string status_text(const json::object& status) {
  const auto* ready = status.if_contains("ready");
  std::string text = "switchyard " + field(status, "version") + ", " +
                     (ready != nullptr && *ready == true ? "ready" : "not ready") + ", up " +
                     uptime(status) + ", pid " + field(status, "pid") + ", " +
                     field(status, "loops") + " loops, " + field(status, "config") + "\n\n";
  text += listeners_text(list(status, "listeners")) + "\n";
  if (const auto& plugins = list(status, "plugins"); !plugins.empty()) {
    text += plugins_text(plugins) + "\n";
  }
  const auto* connections = status.if_contains("connections");
  if (connections != nullptr && connections->is_object()) {
    text += connections_text(connections->get_object());
  }
  return text;
}

std::string plugins_text(const json::array& plugins) {
  Table table{
      {{"PLUGIN"},
       {"STATE"},
       {"VERSION"},
       {"GENERATION", Right},
       {"CONNECTIONS", Right},
       {"ERRORS", Right},
       {"PROTOCOLS"}}};
  const auto add = [&table](const json::object& of, std::string name, std::string protocols) {
    table.add(
        {std::move(name),
         field(of, "state"),
         field(of, "version"),
         field(of, "generation"),
         field(of, "connections"),
         field(of, "errors"),
         std::move(protocols)});
  };
  for (const auto& value : plugins) {
    if (!value.is_object()) continue;
    const auto& plugin = value.get_object();
    const auto* swapped = plugin.if_contains("swapped");
    const auto quarantined =
        swapped != nullptr && swapped->is_object() && swapped->get_object().contains("quarantined");
    const auto mark = quarantined ? " (quarantine)" : swapped != nullptr ? " (swapped)" : "";
    add(plugin, field(plugin, "name") + mark, field(plugin, "protocols"));
    const auto& generations = list(plugin, "generations"); // the serving one first
    for (std::size_t i = 1; i < generations.size(); ++i) {
      if (generations[i].is_object()) add(generations[i].get_object(), {}, {});
    }
  }
  auto text = table.text();
  for (const auto& value : plugins) {
    if (!value.is_object()) continue;
    const auto& plugin = value.get_object();
    if (const auto process = process_text(plugin); !process.empty())
      text += field(plugin, "name") + " is isolated: process " + process + "\n";
  }
  return text;
}

std::string plugin_text(const json::object& plugin) {
  auto text = field(plugin, "name") + ": " + field(plugin, "state") + "\n";
  const auto add = [&text](const std::string& name, const std::string& value) {
    if (!value.empty()) text += "  " + name + std::string(13 - name.size(), ' ') + value + "\n";
  };
  for (const auto* key :
       {"why",
        "id",
        "version",
        "generation",
        "library",
        "staged",
        "sha256",
        "protocols",
        "connections",
        "errors"}) {
    add(key, field(plugin, key));
  }
  add("trials", trials_text(plugin));
  if (const auto isolation = field(plugin, "isolation"); isolation != "none")
    add("isolation", isolation);
  add("process", process_text(plugin));
  if (const auto* value = plugin.if_contains("swapped"); value != nullptr && value->is_object()) {
    const auto& swapped = value->get_object();
    if (const auto source = field(swapped, "source"); !source.empty())
      add("swapped in", field(swapped, "version") + " from " + source);
    add("crashes", field(swapped, "crashes"));
    add("quarantine", field(swapped, "quarantined"));
  }
  const auto& generations = list(plugin, "generations");
  for (std::size_t i = 1; i < generations.size(); ++i) {
    if (!generations[i].is_object()) continue;
    const auto& generation = generations[i].get_object();
    auto line = field(generation, "generation") + " (" + field(generation, "version") + ") " +
                field(generation, "state");
    if (const auto open = field(generation, "connections"); !open.empty())
      line += ", " + open + " connections";
    if (const auto process = process_text(generation); !process.empty())
      line += ", process " + process;
    if (const auto why = field(generation, "why"); !why.empty()) line += ": " + why;
    add("besides", line);
  }
  if (const auto* swap = plugin.if_contains("last_swap"); swap != nullptr && swap->is_object()) {
    const auto& last = swap->get_object();
    const auto why = field(last, "why");
    const auto left = field(last, "left");
    add("last swap",
        field(last, "result") + (why.empty() ? "" : ": " + why) +
            (left.empty() ? "" : "; " + left));
  }
  return text;
}

std::string phase_text(const json::object& line) {
  auto text = field(line, "phase");
  if (text == "verified")
    text += "   generation " + field(line, "generation") + ", version " + field(line, "version");
  return text + "\n";
}

std::string swap_text(const json::object& answer) {
  auto text = field(answer, "plugin") + " " + field(answer, "version") + " serves as generation " +
              field(answer, "generation");
  if (const auto back = field(answer, "taken_back"); !back.empty())
    text += " again; generation " + back + " leaves";
  if (const auto window = field(answer, "window_ms"); !window.empty() && window != "0")
    text += "; rollback is possible for " + window + " ms";
  return text + "\n";
}

std::string reload_text(const json::object& answer) {
  const auto tried = field(answer, "dry_run") == "yes";
  const auto& changes = list(answer, "changes");
  auto text = field(answer, "file") + (tried ? " can be loaded" : " is loaded") +
              (changes.empty() ? "; nothing has changed in it\n" : "\n");
  Table table{{{"  WHAT"}, {"NAME"}, {"CHANGE"}, {"FROM"}, {"TO"}}};
  for (const auto& value : changes) {
    if (!value.is_object()) continue;
    const auto& change = value.get_object();
    table.add(
        {"  " + field(change, "what"),
         field(change, "name"),
         field(change, "change"),
         field(change, "from"),
         field(change, "to")});
  }
  if (!changes.empty()) text += table.text();
  if (field(answer, "certificates") == "yes" && !tried) text += "  certificates were read anew\n";
  return text;
}

std::string plan_text(const json::object& plan) {
  const auto version = [&plan](std::string_view key) {
    const auto* of = plan.if_contains(key);
    if (of == nullptr || !of->is_object()) return std::string{};
    return field(of->get_object(), "version") + "  " + field(of->get_object(), "library");
  };
  auto text = field(plan, "plugin") + ": a swap would go from\n  " + version("from") + "\nto\n  " +
              version("to") + "\n";
  const auto add = [&text](std::string_view title, const std::string& value) {
    text += std::string{title} + (value.empty() ? "none" : value) + "\n";
  };
  if (const auto* to = plan.if_contains("to"); to != nullptr && to->is_object()) {
    if (const auto trials = trials_text(to->get_object()); !trials.empty())
      add("trial connections  ", trials);
  }
  std::string users;
  for (const auto& value : list(plan, "dependents")) {
    if (!value.is_object()) continue;
    users += (users.empty() ? "" : ", ") + field(value.get_object(), "plugin") + " through " +
             field(value.get_object(), "interface");
  }
  add("used by            ", users);
  add("registered with it ", field(plan, "registrations"));
  add("open connections   ", field(plan, "connections"));
  if (const auto* value = plan.if_contains("unload"); value != nullptr && value->is_object()) {
    const auto& unload = value->get_object();
    const auto doubts = field(unload, "doubts");
    add("old one unmapped   ", doubts.empty() ? "expected" : "doubtful: " + doubts);
    add("ends before that   ", field(unload, "ends_first"));
  }
  add("stayed in memory   ", field(plan, "stayed_in_memory"));
  if (const auto not_now = field(plan, "not_now"); !not_now.empty()) add("but not now: ", not_now);
  return text;
}

} // namespace switchyard::host
