#include "server_answer.hpp"

#include "report.hpp"

#include <optional>

namespace switchyard::host {

ExitCode with_answer(
    const Target& target,
    const boost::json::object& request,
    const std::function<ExitCode(const boost::json::object& answer)>& show,
    const std::function<ExitCode(const Config& config, const std::string& why)>& offline) {
  std::optional<Config> config;
  auto socket = target.socket;
  if (socket.empty()) {
    auto loaded = load(target.config);
    if (!loaded) return report(target.output, loaded.error());
    config = std::move(*loaded);
    socket = control_socket(config->host);
  }

  const auto answer = ask(socket, request);
  if (answer) return show(*answer);
  const auto& failure = answer.error();
  if (failure.kind == ControlFailure::Kind::Refused) {
    return report(target.output, kFailed, failure.text);
  }
  if (config && offline) return offline(*config, failure.text);
  return report(target.output, kNoServer, failure.text);
}

} // namespace switchyard::host
