#include <host/file/new_file.hpp>
#include <host/plugin/generations.hpp>
#include <host/plugin/staging.hpp>
#include <host/swap/swap_records.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace switchyard::host {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

json::object to_json(const KeptVersion& version) {
  return {
      {"copy", version.copy},
      {"sha256", version.sha256},
      {"version", version.version},
      {"source", version.source},
      {"configured", version.configured}};
}

bool read(const json::object& from, std::string_view key, std::string& into) {
  const auto* value = from.if_contains(key);
  if (value == nullptr || !value->is_string()) return false;
  into = std::string{value->get_string()};
  return true;
}

bool read(const json::object& from, std::string_view key, bool& into) {
  const auto* value = from.if_contains(key);
  if (value == nullptr || !value->is_bool()) return false;
  into = value->get_bool();
  return true;
}

std::optional<KeptVersion> read_version(const json::object& record, std::string_view key) {
  const auto* value = record.if_contains(key);
  if (value == nullptr || !value->is_object()) return std::nullopt;
  const auto& from = value->get_object();
  KeptVersion version;
  if (!read(from, "copy", version.copy) || !read(from, "sha256", version.sha256) ||
      !read(from, "version", version.version) || !read(from, "source", version.source) ||
      !read(from, "configured", version.configured))
    return std::nullopt;
  return version;
}

/// That a text is one, and not why there is none.
constexpr auto kPath = boost::system::in_place_value;

std::string short_hash(const KeptVersion& version) {
  return version.sha256.substr(0, 16);
}

/// The version that the next start uses.
const KeptVersion& in_use(const SwapRecord& record) {
  return record.quarantined ? *record.before : record.now;
}

/// What it is that stands in the place of the plugin's library; empty: plugins.toml holds.
std::string in_place(const SwapRecord& record) {
  return record.quarantined || !record.now.configured ? in_use(record).copy : std::string{};
}

/// Whether the bytes of `generation` are those that plugins.toml names.
bool is_own(const Generations& plugin, const Instance& generation, const HostConfig& host) {
  auto own = plugin.config();
  own.swapped.clear();
  const auto path = source_of(host, own);
  return generation.library() == path || sha256_of(path) == generation.sha256();
}

/// Why `record` is not to be used with what `plugin` says; empty: it is.
std::string outdated(const SwapRecord& record, const PluginConfig& plugin) {
  const auto& version = in_use(record);
  if (!plugin.sha256.empty() && plugin.sha256 != version.sha256)
    return "sha256 in the configuration names another";
  return sha256_of(version.copy) == version.sha256 ? "" : "its copy is not what it was";
}

} // namespace

std::string to_text(const SwapRecordMap& records) {
  json::object plugins;
  for (const auto& [plugin, record] : records) {
    json::object object{
        {"now", to_json(record.now)},
        {"crashes", record.crashes},
        {"quarantined", record.quarantined}};
    if (record.before) object["before"] = to_json(*record.before);
    if (record.on_trial) object["on_trial"] = to_json(*record.on_trial);
    plugins[plugin] = std::move(object);
  }
  return json::serialize(json::object{{"plugins", std::move(plugins)}}) + '\n';
}

boost::system::result<SwapRecordMap, std::string> parse_swap_records(std::string_view text) {
  boost::system::error_code malformed;
  const auto value = json::parse(text, malformed, {}, {.allow_invalid_utf8 = true});
  const auto* plugins =
      !malformed && value.is_object() ? value.get_object().if_contains("plugins") : nullptr;
  if (plugins == nullptr || !plugins->is_object()) return std::string{"it holds no \"plugins\""};
  SwapRecordMap records;
  for (const auto& [name, each] : plugins->get_object()) {
    const auto wrong = "what it says of plugin " + std::string{name} + " is not whole";
    if (!each.is_object()) return wrong;
    const auto& object = each.get_object();
    auto now = read_version(object, "now");
    const auto* crashes = object.if_contains("crashes");
    SwapRecord record;
    if (!now || crashes == nullptr || !crashes->is_int64() || crashes->get_int64() < 0 ||
        crashes->get_int64() > UINT32_MAX || !read(object, "quarantined", record.quarantined))
      return wrong;
    record.now = *std::move(now);
    record.crashes = static_cast<std::uint32_t>(crashes->get_int64());
    record.before = read_version(object, "before");
    record.on_trial = read_version(object, "on_trial");
    if (record.quarantined && !record.before) return wrong;
    records.emplace(name, std::move(record));
  }
  return records;
}

bool count_crash(SwapRecord& record, const CrashRecord& crash) {
  if (record.on_trial && record.on_trial->sha256 == crash.sha256) {
    record = {.now = *record.on_trial, .before = in_use(record), .crashes = 1, .quarantined = true};
    return true;
  }
  if (record.quarantined || record.now.sha256 != crash.sha256) return false;
  ++record.crashes;
  record.quarantined = record.crashes >= kCrashesMax && record.before.has_value();
  return record.quarantined;
}

boost::system::result<SwapRecords, std::string> SwapRecords::open(const std::string& data_dir) {
  std::error_code ec;
  SwapRecords opened{fs::absolute(data_dir, ec).lexically_normal().native()};
  const auto file = opened.data_dir_ + "/swapped.json";
  std::ifstream input{file, std::ios::binary};
  if (!input) return opened;
  const std::string text{std::istreambuf_iterator<char>{input}, {}};
  auto records = parse_swap_records(text);
  if (!records) {
    return file + ", which says what plugin swap has brought, cannot be used: " + records.error() +
           ": remove it, then what plugins.toml says is started";
  }
  opened.records_ = *std::move(records);
  return opened;
}

std::vector<std::string> SwapRecords::overlay(Config& config) {
  std::vector<std::string> forgotten;
  for (const auto& plugin : config.plugins)
    taken_back(plugin.name); // the process has ended within the window
  for (auto& plugin : config.plugins) {
    const auto found = records_.find(plugin.name);
    if (found == records_.end() || in_place(found->second).empty()) continue;
    const auto& record = found->second;
    if (const auto why = outdated(record, plugin); !why.empty()) {
      forgotten.push_back(
          "plugin " + plugin.name + ": version " + in_use(record).version + " (sha256 " +
          short_hash(in_use(record)) +
          "), which plugin swap has brought, is not used any more: " + why);
      discard(plugin.name);
    } else {
      plugin.swapped = in_place(record);
    }
  }
  return forgotten;
}

std::optional<std::string> SwapRecords::crashed(const CrashRecord& crash) {
  const auto found = records_.find(crash.plugin);
  if (found == records_.end()) return std::nullopt;
  auto& record = found->second;
  const auto known = record;
  const auto quarantined = count_crash(record, crash);
  if (record == known) return std::nullopt;
  auto about = "plugin " + crash.plugin + ": version " + record.now.version + " (sha256 " +
               short_hash(record.now) + "), which plugin swap has brought, has crashed " +
               std::to_string(record.crashes) + (record.crashes == 1 ? " time" : " times");
  if (quarantined) {
    about += ": it is quarantined and " + record.before->version + " (sha256 " +
             short_hash(*record.before) + ") is used; plugin swap to another version lifts that";
  }
  if (const auto problem = save()) about += "; " + *problem;
  return about;
}

boost::system::result<KeptVersion, KeepFault>
SwapRecords::keep(const Generations& plugin, const Instance& generation, const HostConfig& host) {
  const auto directory = data_dir_ + "/kept";
  KeptVersion version{
      .copy = directory + '/' + plugin.name() + '-' + generation.sha256().substr(0, 16) + ".so",
      .sha256 = generation.sha256(),
      .version = generation.manifest()->version,
      .source = source_of(generation),
      .configured = is_own(plugin, generation, host)};
  const auto failed = [&](int error) {
    return KeepFault{version.copy + " cannot be made: " + std::generic_category().message(error)};
  };
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return failed(errno);
  if (::link(generation.staged().c_str(), version.copy.c_str()) != 0 && errno != EEXIST)
    return failed(errno);
  if (const auto signature = generation.signature(); !signature.empty()) {
    const auto written = write_file(version.copy + ".sig", signature, 0400, Existing::Replace);
    if (!written) return failed(written.error().value());
  }
  return version;
}

boost::system::result<void, KeepFault>
SwapRecords::flipped(const Generations& plugin, const Instance& before, const HostConfig& host) {
  const auto& serving = plugin.serving();
  if (before.sha256() == serving.sha256()) return {};
  auto trial = keep(plugin, serving, host);
  if (!trial) return trial.error();
  auto known = records_.find(plugin.name());
  if (known == records_.end()) {
    auto now = keep(plugin, before, host);
    if (!now) return now.error();
    known = records_.emplace(plugin.name(), SwapRecord{.now = *std::move(now), .before = {}}).first;
  }
  known->second.on_trial = *std::move(trial);
  if (const auto problem = save()) return KeepFault{*problem};
  return {};
}

void SwapRecords::taken_back(std::string_view plugin) {
  const auto found = records_.find(plugin);
  if (found == records_.end() || !found->second.on_trial) return;
  found->second.on_trial.reset();
  const auto& record = found->second;
  if (record.now.configured && !record.before) records_.erase(found); // it was for the trial
  static_cast<void>(save());                                          // as in discard()
}

boost::system::result<std::string, KeepFault>
SwapRecords::committed(const Generations& plugin, const Instance* before, const HostConfig& host) {
  const auto& serving = plugin.serving();
  if (before != nullptr && before->sha256() == serving.sha256()) {
    if (is_own(plugin, serving, host)) named(plugin.name());
    return {kPath, plugin_in_place(plugin.name())};
  }
  auto now = keep(plugin, serving, host);
  if (!now) return now.error();
  SwapRecord record{.now = *std::move(now), .before = std::nullopt};
  if (before != nullptr) {
    auto kept = keep(plugin, *before, host);
    if (!kept) return kept.error();
    record.before = *std::move(kept);
  }
  records_[plugin.name()] = std::move(record);
  if (const auto problem = save()) return KeepFault{*problem};
  return {kPath, plugin_in_place(plugin.name())};
}

std::string SwapRecords::before(std::string_view plugin) const {
  const auto found = records_.find(plugin);
  if (found == records_.end() || found->second.quarantined || !found->second.before) return {};
  return found->second.before->copy;
}

void SwapRecords::named(std::string_view plugin) {
  const auto found = records_.find(plugin);
  if (found == records_.end()) return;
  if (found->second.quarantined) return discard(plugin);
  found->second.now.configured = true;
  static_cast<void>(save()); // as below
}

void SwapRecords::discard(std::string_view plugin) {
  const auto found = records_.find(plugin);
  if (found == records_.end()) return;
  records_.erase(found);
  static_cast<void>(save()); // what stays in the file is asked about by the next reload
}

json::object SwapRecords::describe(std::string_view plugin) const {
  const auto found = records_.find(plugin);
  if (found == records_.end()) return {};
  const auto& record = found->second;
  json::object object;
  if (!record.now.configured) {
    object["source"] = record.now.source;
    object["version"] = record.now.version;
    object["sha256"] = record.now.sha256;
  }
  if (record.crashes != 0) object["crashes"] = record.crashes;
  if (record.quarantined) {
    object["quarantined"] = "version " + record.now.version + " (sha256 " + short_hash(record.now) +
                            ") has crashed " + std::to_string(record.crashes) +
                            " times and is quarantined; plugin swap to another version lifts that";
  }
  return object;
}

std::string SwapRecords::plugin_in_place(std::string_view plugin) const {
  const auto found = records_.find(plugin);
  return found == records_.end() ? std::string{} : in_place(found->second);
}

/// Where its bytes came from first.
std::string SwapRecords::source_of(const Instance& generation) const {
  const auto found = records_.find(generation.name());
  if (found != records_.end()) {
    const auto& [now, before, crashes, quarantined, on_trial] = found->second;
    if (now.sha256 == generation.sha256()) return now.source;
    for (const auto* other : {&before, &on_trial}) {
      if (*other && (*other)->sha256 == generation.sha256()) return (*other)->source;
    }
  }
  return generation.library();
}

/// Writes the file, and removes copies that nobody needs any more. A sentence when it cannot.
std::optional<std::string> SwapRecords::save() {
  const auto file = data_dir_ + "/swapped.json";
  if (const auto written = write_file(file, to_text(records_), 0600, Existing::Replace); !written)
    return file + " cannot be written: " + written.error().message();
  std::vector<std::string> needed;
  for (const auto& [plugin, record] : records_) {
    for (const auto& version : {std::optional{record.now}, record.before, record.on_trial}) {
      if (!version) continue;
      needed.push_back(version->copy);
      needed.push_back(version->copy + ".sig");
    }
  }
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator{data_dir_ + "/kept", ec}) {
    if (std::ranges::find(needed, entry.path().native()) == needed.end())
      fs::remove(entry.path(), ec);
  }
  return std::nullopt;
}

} // namespace switchyard::host
