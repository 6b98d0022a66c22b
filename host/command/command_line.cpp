#include "command_line.hpp"

#include "commands.hpp"

#include <CLI/CLI.hpp>

#include <functional>
#include <iostream>
#include <string>

namespace switchyard::host {
namespace {

constexpr const char* kEpilogue = R"(
Examples:
  switchyard serve                            serve what plugins.toml in this directory says
  switchyard check --config staging.toml      find everything wrong with a configuration
  switchyard plugin why netrpc                what this plugin does, or why it does not
  switchyard cert create --dir tls --dc dc1   CA and server certificate for [tls]
  switchyard cert create --dir tls --client operator

Exit codes:
  0  done            1  refused or failed; the sentence says why
  2  wrong usage     3  no server answers on the control socket

'switchyard COMMAND --help' lists the options of a command.)";

/// What the arguments ask for.
struct Order {
  Target target;
  CertificateOrder certificate;
  std::string plugin;
  std::function<ExitCode()> carry_out;
};

void add_json(CLI::App& command, Output& output) {
  command.add_flag_callback(
      "--json", [&output] { output = Output::Json; }, "Print one line of JSON for machines");
}

CLI::App* add(CLI::App& parent, const char* name, const char* what) {
  return parent.add_subcommand(name, what);
}

/// A command about the server of one configuration.
CLI::App* add_targeted(CLI::App& parent, const char* name, const char* what, Target& target) {
  auto* command = add(parent, name, what);
  command->add_option("--config", target.config, "The configuration")
      ->type_name("FILE")
      ->capture_default_str();
  add_json(*command, target.output);
  return command;
}

/// The same for one that talks to the server while it runs.
CLI::App* add_asking(CLI::App& parent, const char* name, const char* what, Target& target) {
  auto* command = add_targeted(parent, name, what, target);
  command
      ->add_option(
          "--socket", target.socket, "The server's control socket, instead of the configuration's")
      ->type_name("PATH");
  return command;
}

void add_plugin(CLI::App& app, Order& order) {
  auto* plugin = add(app, "plugin", "Ask about plugins");
  plugin->require_subcommand(1);

  add_asking(*plugin, "list", "List the plugins and how far each has come", order.target)
      ->callback([&order] { order.carry_out = [&order] { return plugin_list(order.target); }; });
  auto* why =
      add_asking(*plugin, "why", "Say what one plugin does, or why it does not", order.target);
  why->add_option("name", order.plugin, "Its name in the configuration")
      ->type_name("NAME")
      ->required();
  why->callback(
      [&order] { order.carry_out = [&order] { return plugin_why(order.target, order.plugin); }; });
}

void add_cert(CLI::App& app, Order& order) {
  auto* cert = add(app, "cert", "Make certificates");
  cert->require_subcommand(1);

  auto& wanted = order.certificate;
  auto* create =
      add(*cert, "create", "Make a server certificate (or a client's), and a CA if there is none");
  create->add_option("--dir", wanted.dir, "Where ca.pem, server.pem and their keys are")
      ->type_name("DIR")
      ->capture_default_str();
  create->add_option("--node", wanted.node, "Name of the server [this machine's]")
      ->type_name("NAME");
  create->add_option("--dc", wanted.dc, "Datacenter")->type_name("NAME")->capture_default_str();
  create->add_option("--domain", wanted.domain, "Domain")->type_name("NAME")->capture_default_str();
  create->add_option("--days", wanted.days, "How long it is valid")
      ->check(CLI::Range(1, 3650))
      ->capture_default_str();
  create
      ->add_option("--client", wanted.client, "Make NAME.pem and NAME-key.pem for a client instead")
      ->type_name("NAME");
  create->add_flag(
      "--force", wanted.force, "Replace a certificate that is already there; never the CA");
  add_json(*create, wanted.output);
  create->callback(
      [&order] { order.carry_out = [&order] { return cert_create(order.certificate); }; });
}

void add_commands(CLI::App& app, Order& order) {
  add_targeted(app, "serve", "Serve until SIGTERM or SIGINT", order.target)->callback([&order] {
    order.carry_out = [&order] { return serve(order.target); };
  });
  add_targeted(app, "check", "Prove a configuration without starting", order.target)
      ->callback([&order] { order.carry_out = [&order] { return check(order.target); }; });
  add_asking(app, "status", "Show what the server does", order.target)->callback([&order] {
    order.carry_out = [&order] { return status(order.target); };
  });
  add_plugin(app, order);
  add_cert(app, order);
  auto* about = add(app, "version", "Print the version");
  add_json(*about, order.target.output);
  about->callback(
      [&order] { order.carry_out = [&order] { return version(order.target.output); }; });
}

} // namespace

int run_command_line(int argc, char** argv) {
  CLI::App app{"Many protocols on one port, every protocol a plugin.", "switchyard"};
  app.require_subcommand(1);
  app.footer(kEpilogue);
  Order order;
  add_commands(app, order);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, std::cout, std::cerr) == 0 ? kDone : kUsage;
  }
  return order.carry_out();
}

} // namespace switchyard::host
