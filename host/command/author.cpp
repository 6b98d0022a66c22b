#include "author.hpp"

#include "project.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <CLI/CLI.hpp>

#include <string>

namespace switchyard::host {
namespace {

void add_json(CLI::App& command, Output& output) {
  command.add_flag_callback(
      "--json", [&output] { output = Output::Json; }, "Print one line of JSON for machines");
}

void add_check(CLI::App& parent, CheckOrder& wanted, std::function<ExitCode()>& carry_out) {
  auto* check = parent.add_subcommand(
      "check", "Put a plugin through what a host would, in processes of their own");
  check->add_option("file", wanted.file, "The plugin")->type_name("FILE")->required();
  check->add_option("--config", wanted.config, "Its configuration, a JSON object")
      ->type_name("JSON")
      ->capture_default_str()
      ->check([](const std::string& text) {
        boost::system::error_code wrong;
        const auto value = boost::json::parse(text, wrong);
        return !wrong && value.is_object() ? std::string{} : "takes a JSON object, not " + text;
      });
  check
      ->add_option(
          "--with", wanted.with, "Another plugin, whose interfaces it requires; may be repeated")
      ->type_name("FILE")
      ->allow_extra_args(false);
  check->add_flag("--quick", wanted.quick, "20 swaps and 200 connections, some seconds in all");
  check
      ->add_option(
          "--swaps", wanted.swaps, "How often it is replaced by itself [1000; 20 with --quick]")
      ->type_name("NUMBER")
      ->check(CLI::Range(1, 1'000'000));
  check->add_option("--seed", wanted.seed, "What malformed connections say depends on it")
      ->type_name("NUMBER")
      ->capture_default_str();
  check->add_flag_callback(
      "--isolated",
      [&wanted] { wanted.isolation = Isolation::Process; },
      "In a process of its own, as isolation = \"process\" has it");
  add_json(*check, wanted.output);
  check->footer("\nIt exits with 0 when it has passed, with 1 when there are findings.");
  check->callback(
      [&wanted, &carry_out] { carry_out = [&wanted] { return plugin_check(wanted); }; });
}

} // namespace

void add_author_commands(
    CLI::App& parent, AuthorOrder& order, std::function<ExitCode()>& carry_out) {
  auto* project =
      parent.add_subcommand("new", "Begin a plugin: a project that builds and tests itself");
  auto& wanted = order.project;
  project
      ->add_option(
          "name", wanted.id, "Its id, such as com.example.hello; the last word names files")
      ->type_name("NAME")
      ->required()
      ->check([](const std::string& id) {
        const auto fault = project_id_fault(id);
        return fault.empty() ? fault : '"' + id + "\" " + fault;
      });
  project->add_option("--lang", wanted.language, "What it is written in")
      ->type_name("LANGUAGE")
      ->check(CLI::IsMember({"c", "cpp", "rust"}))
      ->capture_default_str();
  project->add_option("--dir", wanted.folder, "Where it goes [./ and the last word of its name]")
      ->type_name("DIR");
  add_json(*project, wanted.output);
  project->callback(
      [&wanted, &carry_out] { carry_out = [&wanted] { return plugin_new(wanted); }; });
  add_check(parent, order.check, carry_out);
}

} // namespace switchyard::host
