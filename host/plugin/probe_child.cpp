#include <host/plugin/descriptor.hpp>
#include <host/plugin/library.hpp>
#include <host/plugin/manifest.hpp>
#include <host/plugin/probe_child.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>
#include <unistd.h>

namespace switchyard::host {
namespace {

namespace json = boost::json;

std::string read_all(int from) {
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    const auto got = ::read(from, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

void say(const json::object& line) {
  auto text = json::serialize(line) + '\n';
  for (std::string_view rest{text}; !rest.empty();) {
    const auto written = ::write(kProbeAnswer, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) ::_exit(1); // nobody listens
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

OrRefusal<void> judge(const json::object& request) {
  const auto text = [&](std::string_view key) { return std::string{request.at(key).as_string()}; };
  const auto plugin = text("plugin");
  const auto path = text("path");
  VerifiedPlugin verified{*parse_manifest(text("manifest")), text("manifest"), {}};
  for (const auto& soname : request.at("platform").as_array())
    verified.platform.emplace_back(soname.as_string());

  say({{"step", "while it was loaded"}});
  const auto library = Library::open(plugin, path, text("staged"), verified.platform);
  if (!library) return library.error();
  say({{"step", "while its descriptor was read"}});
  if (auto judged = check_descriptor(plugin, path, library->descriptor(), verified); !judged) {
    return judged;
  }
  say({{"step", "in check_config()"}});
  return check_config(plugin, text("config_place"), library->descriptor(), text("config"));
}

} // namespace

void run_probe() {
  // A crash is to end the process by its signal, at once and without a core file; nor does it
  // outlive the host.
  for (const int fatal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP}) {
    std::signal(fatal, SIG_DFL);
  }
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);

  // A path is bytes; it comes back as what it was.
  const auto request = json::parse(read_all(STDIN_FILENO), {}, {.allow_invalid_utf8 = true});
  const auto judged = judge(request.as_object());
  if (judged) {
    say({{"verdict", "taken"}});
  } else {
    say(
        {{"verdict", "refused"},
         {"code", static_cast<unsigned>(judged.error().code)},
         {"text", judged.error().text}});
  }
  ::_exit(0);
}

} // namespace switchyard::host
