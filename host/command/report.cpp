#include "report.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <cstdio>
#include <utility>

namespace switchyard::host {

namespace json = boost::json;

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

void print(const json::object& value) {
  print(json::serialize(value) + "\n");
}

ExitCode report(Output output, ExitCode code, const std::string& sentence) {
  if (output == Output::Json) {
    print(json::object{{"error", sentence}});
  } else {
    std::fprintf(stderr, "switchyard: %s\n", sentence.c_str());
  }
  return code;
}

ExitCode report(Output output, const ConfigError& error) {
  if (output == Output::Json) {
    print(to_json(error));
  } else {
    std::fputs(describe(error).c_str(), stderr);
  }
  return kFailed;
}

ConfigError refusals(const std::string& file, const std::vector<std::string>& sentences) {
  ConfigError error{file, {}};
  for (const auto& sentence : sentences)
    error.problems.push_back({0, {}, sentence});
  return error;
}

json::object to_json(const ConfigError& error) {
  json::array problems;
  for (const auto& problem : error.problems) {
    problems.push_back(json::object{
        {"file", error.file},
        {"line", problem.line},
        {"key", problem.key},
        {"text", problem.text}});
  }
  return {{"ok", false}, {"problems", std::move(problems)}};
}

} // namespace switchyard::host
