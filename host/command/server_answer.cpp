#include "server_answer.hpp"

#include "report.hpp"

#include <optional>

namespace switchyard::host {

namespace {

using Answer = boost::system::result<boost::json::object, ControlFailure>;
using Asking = std::function<Answer(const std::string& socket)>;
using Show = std::function<ExitCode(const boost::json::object& answer)>;
using Offline = std::function<ExitCode(const Config& config, const std::string& why)>;

constexpr std::chrono::minutes kLongestStep{10};

ExitCode
carry(const Target& target, const Asking& ask_it, const Show& show, const Offline& offline) {
  std::optional<Config> config;
  auto socket = target.socket;
  if (socket.empty()) {
    auto loaded = load(target.config);
    if (!loaded) return report(target.output, loaded.error());
    config = std::move(*loaded);
    socket = control_socket(config->host);
  }

  const auto answer = ask_it(socket);
  if (answer) return show(*answer);
  const auto& failure = answer.error();
  if (failure.kind == ControlFailure::Kind::Refused) {
    return report(target.output, kFailed, failure.text);
  }
  if (config && offline) return offline(*config, failure.text);
  return report(target.output, kNoServer, failure.text);
}

} // namespace

ExitCode with_answer(
    const Target& target,
    const boost::json::object& request,
    const Show& show,
    const Offline& offline) {
  return carry(
      target, [&](const std::string& socket) { return ask(socket, request); }, show, offline);
}

ExitCode with_lines(
    const Target& target,
    const boost::json::object& request,
    const std::function<void(const boost::json::object& line)>& told,
    const Show& show) {
  return carry(
      target,
      [&](const std::string& socket) { return follow(socket, request, told, kLongestStep); },
      show,
      {});
}

} // namespace switchyard::host
