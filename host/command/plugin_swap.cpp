#include "report.hpp"
#include "server_answer.hpp"
#include "status_text.hpp"

#include <boost/json/object.hpp>

#include <cstdio>
#include <filesystem>
#include <system_error>

namespace switchyard::host {

namespace json = boost::json;

namespace {

/// A path as the server, whose working directory is another, finds it; a bare name stays one.
std::string as_the_server_finds_it(const std::string& file) {
  if (file.find('/') == std::string::npos) return file;
  std::error_code unknown;
  const auto path = std::filesystem::absolute(file, unknown);
  return unknown ? file : path.lexically_normal().string();
}

/// Shows the phases as they pass.
auto teller(const Target& target) {
  return [as_json = target.output == Output::Json](const json::object& line) {
    if (as_json) {
      print(line);
    } else {
      print(phase_text(line));
    }
    std::fflush(stdout);
  };
}

} // namespace

ExitCode plugin_swap(const Target& target, const SwapOrder& order) {
  const auto as_json = target.output == Output::Json;
  const auto show = [&](const json::object& answer) {
    if (as_json) {
      print(answer);
    } else {
      print(order.dry_run ? plan_text(answer) : swap_text(answer));
    }
    return kDone;
  };
  return with_lines(
      target,
      {{"command", "plugin.swap"},
       {"name", order.name},
       {"library", as_the_server_finds_it(order.library)},
       {"dry_run", order.dry_run}},
      teller(target),
      show);
}

ExitCode plugin_rollback(const Target& target, const std::string& name) {
  const auto show = [&](const json::object& answer) {
    if (target.output == Output::Json) {
      print(answer);
    } else {
      print(swap_text(answer));
    }
    return kDone;
  };
  return with_lines(target, {{"command", "plugin.rollback"}, {"name", name}}, teller(target), show);
}

} // namespace switchyard::host
