#include "report.hpp"

#include <host/config/parse.hpp>
#include <host/serve/run.hpp>

#include <boost/json/object.hpp>

#include <cstdio>

namespace switchyard::host {

ExitCode serve(const Target& target) {
  const auto config = load(target.config);
  if (!config) return report(target.output, config.error());
  const auto complain = [&](const std::vector<std::string>& sentences) {
    if (target.output == Output::Json) return print(to_json(refusals(config->file, sentences)));
    for (const auto& sentence : sentences)
      std::fprintf(stderr, "%s\n", sentence.c_str());
  };
  return run(*config, complain) == 0 ? kDone : kFailed;
}

} // namespace switchyard::host
