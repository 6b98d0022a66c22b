#include "command_line.hpp"

#include "author.hpp"
#include "cluster.hpp"
#include "commands.hpp"

#include <host/config/address.hpp>
#include <host/config/duration.hpp>

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
  switchyard reload --dry-run                 try a changed configuration on the running server
  switchyard plugin why netrpc                what this plugin does, or why it does not
  switchyard plugin swap netrpc ./netrpc.so   another version of it, without a restart
  switchyard cluster peers                    who is in the cluster, and who leads
  switchyard plugin new com.example.hello     begin a plugin of your own
  switchyard cert create --dir tls --dc dc1   CA and server certificate for [tls]
  switchyard cert create --dir tls --client operator
  switchyard proxy 127.0.0.1:8300             a clear port for buf curl and grpcurl

Exit codes:
  0  done            1  refused or failed; the sentence says why
  2  wrong usage     3  no server answers on the control socket

'switchyard COMMAND --help' lists the options of a command.)";

/// What the arguments ask for.
struct Order {
  Target target;
  CertificateOrder certificate;
  ProxyConfig proxy;
  SwapOrder swap;
  ReloadOrder reload;
  ClusterOrder cluster;
  AuthorOrder author;
  std::string plugin;
  std::string file;
  std::string key;
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

void add_reload(CLI::App& app, Order& order) {
  auto& wanted = order.reload;
  auto* reload = add_asking(
      app,
      "reload",
      "Apply what has changed in the configuration file: all of it, or nothing",
      order.target);
  reload->add_flag("--dry-run", wanted.dry_run, "Only try it, and say what would change");
  auto* keep =
      reload->add_flag("--keep", wanted.keep, "Keep versions that plugin swap has brought");
  reload->add_flag("--discard", wanted.discard, "Replace them by what the file says")
      ->excludes(keep);
  reload->callback([&order] {
    order.carry_out = [&order] { return host::reload(order.target, order.reload); };
  });
}

void add_swap(CLI::App& plugin, Order& order) {
  auto& wanted = order.swap;
  auto* swap = add_asking(
      plugin, "swap", "Replace a plugin by another version while the server serves", order.target);
  swap->add_option("name", wanted.name, "Its name in the configuration")
      ->type_name("NAME")
      ->required();
  swap->add_option("file", wanted.library, "The new version [the configuration's library]")
      ->type_name("FILE");
  swap->add_flag(
      "--dry-run", wanted.dry_run, "Only try the new version, and say what the swap would meet");
  swap->callback(
      [&order] { order.carry_out = [&order] { return plugin_swap(order.target, order.swap); }; });

  auto* rollback = add_asking(plugin, "rollback", "Go back to the version before", order.target);
  rollback->add_option("name", order.plugin, "Its name in the configuration")
      ->type_name("NAME")
      ->required();
  rollback->callback([&order] {
    order.carry_out = [&order] { return plugin_rollback(order.target, order.plugin); };
  });
}

/// What makes a plugin that `sha256` and `host.trusted_keys` take.
void add_trust(CLI::App& plugin, Order& order) {
  auto* hash = add(plugin, "hash", "Print the sha256 that pins a file in the configuration");
  hash->add_option("file", order.file, "The plugin")->type_name("FILE")->required();
  add_json(*hash, order.target.output);
  hash->callback([&order] {
    order.carry_out = [&order] { return plugin_hash(order.target.output, order.file); };
  });

  auto* sign = add(plugin, "sign", "Write the Ed25519 signature of a file to FILE.sig");
  sign->add_option("file", order.file, "The plugin")->type_name("FILE")->required();
  sign->add_option(
          "--key", order.key, "The private key, in PEM (openssl genpkey -algorithm ed25519)")
      ->type_name("FILE")
      ->required();
  add_json(*sign, order.target.output);
  sign->callback([&order] {
    order.carry_out = [&order] { return plugin_sign(order.target.output, order.file, order.key); };
  });
}

void add_plugin(CLI::App& app, Order& order) {
  auto* plugin = add(app, "plugin", "Ask about plugins, swap them, and make new ones");
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
  add_swap(*plugin, order);
  add_trust(*plugin, order);
  add_author_commands(*plugin, order.author, order.carry_out);
}

/// A command that changes a cluster and asks first.
void add_yes(CLI::App& command, ClusterOrder& wanted) {
  command.add_flag("--yes", wanted.yes, "Do not ask whether it is meant");
}

void add_cluster(CLI::App& app, Order& order) {
  auto* cluster = add(app, "cluster", "Ask about the Raft cluster of a server, and change it");
  cluster->require_subcommand(1);
  auto& target = order.target;
  auto& wanted = order.cluster;

  add_asking(*cluster, "peers", "Show the servers, who leads, and how far the log is", target)
      ->callback([&order] { order.carry_out = [&order] { return cluster_peers(order.target); }; });

  auto* join = add_asking(
      *cluster, "add", "Add a server, or give one that is there a vote; ask the leader", target);
  join->add_option("node", wanted.id, "Its name")->type_name("NODE")->required();
  join->add_option("address", wanted.address, "What others dial")->type_name("IP:PORT")->required();
  join->add_flag("--nonvoter", wanted.nonvoter, "It gets the log and has no vote");
  join->callback([&order] {
    order.carry_out = [&order] { return cluster_add(order.target, order.cluster); };
  });

  auto* remove = add_asking(*cluster, "remove", "Remove a server; ask the leader", target);
  remove->add_option("node", wanted.id, "Its name")->type_name("NODE")->required();
  add_yes(*remove, wanted);
  remove->callback([&order] {
    order.carry_out = [&order] { return cluster_remove(order.target, order.cluster); };
  });

  auto* transfer =
      add_asking(*cluster, "transfer", "Hand leadership to another server; ask the leader", target);
  transfer->add_option("node", wanted.id, "To whom [the voter that is furthest]")
      ->type_name("NODE");
  transfer->callback([&order] {
    order.carry_out = [&order] { return cluster_transfer(order.target, order.cluster); };
  });

  add_asking(*cluster, "snapshot", "Take a snapshot of this server's state now", target)
      ->callback(
          [&order] { order.carry_out = [&order] { return cluster_snapshot(order.target); }; });

  auto* bootstrap =
      add_asking(*cluster, "bootstrap", "Begin a new cluster on a server that has nothing", target);
  bootstrap->add_option("servers", wanted.founders, "All founders [this server alone]")
      ->type_name("NODE=IP:PORT");
  add_yes(*bootstrap, wanted);
  bootstrap->callback([&order] {
    order.carry_out = [&order] { return cluster_bootstrap(order.target, order.cluster); };
  });

  auto* recover = add_asking(
      *cluster, "recover", "Go on with this server alone when a majority is lost for good", target);
  add_yes(*recover, wanted);
  recover->callback([&order] {
    order.carry_out = [&order] { return cluster_recover(order.target, order.cluster); };
  });
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

void add_proxy_tls(CLI::App& proxy, ProxyConfig& wanted) {
  auto* ca = proxy.add_option("--ca", wanted.files.ca, "Who signed the server's certificate");
  auto* certificate = proxy.add_option(
      "--cert", wanted.files.certificate, "What to show when the server asks for a certificate");
  auto* key = proxy.add_option("--key", wanted.files.key, "Its key");
  for (auto* file : {ca, certificate, key})
    file->type_name("FILE");
  certificate->needs(key);
  key->needs(certificate);
  const auto tls = [&wanted](ProxyTls way) { return [&wanted, way] { wanted.tls = way; }; };
  auto* native = proxy.add_flag_callback(
      "--tls", tls(ProxyTls::Native), "TLS at once, with ALPN consul/rpc-grpc");
  auto* tagged = proxy.add_flag_callback(
      "--tag-tls", tls(ProxyTls::Tagged), "TLS after tag 3, with tag 8 inside");
  native->needs(ca)->needs(certificate)->excludes(tagged);
  tagged->needs(ca);
  proxy
      .add_option(
          "--server-name",
          wanted.server_name,
          "What the certificate must be for, such as server.dc1.consul [whatever the CA signed]")
      ->type_name("NAME");
}

void add_proxy(CLI::App& app, Order& order) {
  auto& wanted = order.proxy;
  auto* proxy = add(app, "proxy", "Open a clear local port for the internal gRPC of a server port");
  proxy->add_option("target", wanted.target, "The server port: ip:port, [ip]:port or name:port")
      ->type_name("TARGET")
      ->required()
      ->check([](const std::string& text) {
        return is_target(text) ? std::string{}
                               : "takes ip:port, [ip]:port or name:port, not \"" + text + "\"";
      });
  proxy
      ->add_option(
          "--listen", wanted.listen, "The local port, on a loopback address; 0 is one that is free")
      ->type_name("IP:PORT")
      ->capture_default_str()
      ->check([](const std::string& text) {
        const auto address = parse_address(text);
        return address && address->loopback
                   ? std::string{}
                   : "takes ip:port of this machine alone, such as 127.0.0.1:0, not \"" + text +
                         "\"";
      });

  add_proxy_tls(*proxy, wanted);
  proxy->add_option("--connections", wanted.connections, "How many may be open at once")
      ->type_name("NUMBER")
      ->check(CLI::Range(1, 65'535))
      ->capture_default_str();
  proxy
      ->add_option_function<std::string>(
          "--dial-timeout",
          [&wanted](const std::string& text) {
            const auto limit = parse_duration(text);
            if (!limit || *limit < std::chrono::milliseconds{1})
              throw CLI::ValidationError{
                  "--dial-timeout", "takes a duration such as \"5s\", not \"" + text + "\""};
            wanted.dial_timeout = std::chrono::duration_cast<std::chrono::milliseconds>(*limit);
          },
          "How long reaching the server may take")
      ->type_name("DURATION")
      ->default_str(format_duration(wanted.dial_timeout));
  add_json(*proxy, order.target.output);
  proxy->callback([&order] {
    const auto& asked = order.proxy;
    const auto of_tls = asked.files.ca + asked.files.certificate + asked.server_name;
    if (asked.tls == ProxyTls::Clear && !of_tls.empty())
      throw CLI::RequiresError{"--ca, --cert or --server-name", "--tls or --tag-tls"};
    order.carry_out = [&order] { return host::proxy(order.proxy, order.target.output); };
  });
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
  add_reload(app, order);
  add_plugin(app, order);
  add_cluster(app, order);
  add_cert(app, order);
  add_proxy(app, order);
  auto* about = add(app, "version", "Print the version");
  add_json(*about, order.target.output);
  about->callback(
      [&order] { order.carry_out = [&order] { return version(order.target.output); }; });
}

} // namespace

int run_command_line(int argc, char** argv) {
  CLI::App app{"Many protocols on one port, every protocol a plugin.", "switchyard"};
  app.require_subcommand(1);
  Order order;
  add_commands(app, order);
  app.footer(kEpilogue); // after the commands, which would inherit it
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, std::cout, std::cerr) == 0 ? kDone : kUsage;
  }
  return order.carry_out();
}

} // namespace switchyard::host
