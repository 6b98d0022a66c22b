#include <host/check/verdicts.hpp>

#include <algorithm>
#include <filesystem>
#include <map>

namespace switchyard::host {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr auto kEndLimit = 40s; ///< more than drain and every control call may take

std::string absolute(const std::string& file) {
  std::error_code unknown;
  const auto path = fs::absolute(file, unknown);
  return unknown ? file : path.lexically_normal().string();
}

/// "3 × socket, pipe"
std::string counted(const std::vector<std::string>& names) {
  std::map<std::string, std::size_t> times;
  for (const auto& name : names)
    ++times[name];
  std::string text;
  for (const auto& [name, count] : times) {
    if (!text.empty()) text += ", ";
    if (count > 1) text += std::to_string(count) + " × ";
    text += name;
  }
  return text;
}

/// What to do about a thing that the host has found left behind.
std::string remedy(const std::string& reason) {
  const auto about = [&](const char* word) { return reason.find(word) != reason.npos; };
  if (about("did not return")) return "return from every call within limits.control_timeout";
  if (about("thread")) return "join every thread before stop() returns";
  if (about("timer")) return "stop every timer before stop() returns";
  if (about("connection")) return "close every connection in abort_all(), or before stop() returns";
  if (about("post")) return "wait in stop() for what was posted";
  if (about("dial")) return "take or end every dial before stop() returns";
  if (about("let go") || about("lease")) return "release a lease after each call";
  if (about("mapped"))
    return "no thread_local with a destructor on a thread of the host, no exported templates; or "
           "have it served with isolation = \"process\"";
  return "see \"Leaving\" in ABI.md";
}

/// Finds that a process of an isolated plugin has ended. True when one has.
bool judge_process(const Served& served, const std::string& when, CaseResult& result) {
  const auto ends = served.process_ends();
  if (ends.empty()) return false;
  result.find(when + ", the plugin's process ended: " + ends.front());
  return true;
}

} // namespace

ServedPlugin served_plugin(const PluginCheck& trial, const Examined& plugin) {
  ServedPlugin served{.file = absolute(trial.file), .config = trial.config};
  served.isolation = trial.isolation;
  for (const auto& file : trial.with)
    served.with.push_back(absolute(file));
  for (const auto& protocol : plugin.manifest.protocols)
    served.protocols.push_back(protocol.name);
  return served;
}

std::string said_by_host(std::string sentence) {
  const auto prefix = "plugin " + std::string{kUnderTrial} + ": ";
  if (sentence.starts_with(prefix)) sentence.erase(0, prefix.size());
  if (sentence.find("requires") != sentence.npos && sentence.find("provides") != sentence.npos)
    sentence += " (name its file with --with)";
  return sentence;
}

void judge_end(
    Served& served, const Examined& plugin, const std::string& when, CaseResult& result) {
  const auto how = served.end(kEndLimit);
  if (how.starts_with("it was ended by"))
    result.find(
        when + ", the process crashed (" + how +
        "): code of the plugin may have run after it was told to stop, or after it was unloaded");
  else if (!how.empty())
    result.find(when + ", the process did not end well: " + said_by_host(how));
  judge_process(served, when, result);
  judge_retained(served, plugin, result);
}

bool judge_retained(const Served& served, const Examined& plugin, CaseResult& result) {
  auto reasons = served.retained();
  if (reasons.empty()) return false;
  const auto times = reasons.size();
  const auto& reason = reasons.front();
  std::string sentence = "its code had to stay in memory";
  if (times > 1) sentence += ' ' + std::to_string(times) + " times";
  sentence += ": " + said_by_host(reason);
  if (plugin.rust && reason.find("mapped") != reason.npos)
    result.notes.push_back(
        sentence + ": Rust's standard library has made a thread-local on a thread of the host; a "
                   "server serves "
                   "on, and asks for a restart after 16 swaps");
  else
    result.find(sentence + ": " + remedy(reason));
  return true;
}

bool judge_alive(Served& served, const std::string& when, CaseResult& result) {
  const auto how = served.ended_early();
  if (how.empty()) return judge_process(served, when, result);
  result.find(when + ", the process ended: " + how);
  return true;
}

void judge_growth(
    const ProcessState& before,
    const ProcessState& after,
    std::uint64_t times,
    const std::string& of,
    CaseResult& result) {
  const auto per = " after " + std::to_string(times) + ' ' + of + "s";
  if (const auto more = added(before.descriptors, after.descriptors);
      after.descriptors.size() > before.descriptors.size())
    result.find(
        std::to_string(after.descriptors.size() - before.descriptors.size()) +
        " descriptors more are open" + per + " (" + counted(more) +
        "): close what the plugin opens");
  if (const auto more = added(before.threads, after.threads);
      after.threads.size() > before.threads.size())
    result.find(
        std::to_string(after.threads.size() - before.threads.size()) + " threads more run" + per +
        " (" + counted(more) + "): end what the plugin starts, before stop() returns");
}

} // namespace switchyard::host
