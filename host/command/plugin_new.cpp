#include "author.hpp"
#include "project.hpp"
#include "report.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace switchyard::host {

namespace json = boost::json;

namespace {

std::string next_steps(const ProjectOrder& order, std::size_t files) {
  const auto cargo = order.language == "rust";
  return order.id + ": " + std::to_string(files) + " files in " + order.folder.string() +
         "\n\n  cd " + order.folder.string() + "\n" +
         (cargo ? "  cargo build --release --offline\n"
                  "  cargo test --offline               its own tests, and what a host would put "
                  "it through\n"
                : "  cmake -S . -B build && cmake --build build\n"
                  "  ctest --test-dir build             its own tests, and what a host would put "
                  "it through\n") +
         "  switchyard serve                   if the server is installed: plugins.toml loads "
         "it\n\n"
         "README.md there says what is where.\n";
}

} // namespace

ExitCode plugin_new(const NewOrder& wanted) {
  const ProjectOrder order{
      wanted.id,
      wanted.language,
      wanted.folder.empty() ? std::string{project_name(wanted.id)} : wanted.folder};
  const auto files = make_project(order, template_root());
  if (!files) return report(wanted.output, kFailed, files.error());
  if (wanted.output == Output::Json) {
    print(json::object{
        {"id", order.id},
        {"language", order.language},
        {"folder", order.folder.string()},
        {"files", json::array(files->begin(), files->end())}});
  } else {
    print(next_steps(order, files->size()));
  }
  return kDone;
}

} // namespace switchyard::host
