#include <host/serve/plugin_log.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace switchyard::host {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

/// A log on a stream, written to by plugins at a time of our choosing.
class Writer {
public:
  /// `times` lines of `plugin`, each with a number of its own.
  void write(std::string_view plugin, sy_log_level level, const std::string& phrase, int times) {
    for (int i = 0; i < times; ++i)
      sampled_.write(plugin, level, phrase + " conn=" + std::to_string(++number_) + " reason=x y");
  }

  void end() { sampled_ = {}; }

  /// The lines since the last look, from their level on, without what stands behind " conn=".
  std::vector<std::string> lines() {
    std::fflush(file_.get());
    std::fseek(file_.get(), seen_, SEEK_SET);
    std::vector<std::string> all;
    char line[4096];
    while (std::fgets(line, sizeof line, file_.get()) != nullptr) {
      std::string text{line};
      text = text.substr(text.find(' ') + 1);
      all.push_back(text.substr(0, std::min(text.find(" conn="), text.find('\n'))));
    }
    seen_ = std::ftell(file_.get());
    return all;
  }

  Sampler::Clock::time_point now{1h};

private:
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_{std::tmpfile(), &std::fclose};
  Log log_{spdlog::level::debug, LogFormat::Plain, file_.get()};
  PluginLog sampled_{make_plugin_log(log_, [this] { return now; })};
  long seen_ = 0;
  int number_ = 0;
};

std::vector<std::string> repeated(std::size_t times, const std::string& line) {
  return std::vector<std::string>(times, line);
}

// An error a bad connection must not fill a disk.
TEST(PluginLog, WritesTenErrorsOfAPhraseASecond) {
  Writer writer;
  writer.write("echo", SY_LOG_ERROR, "cannot adopt", 1'000);
  EXPECT_EQ(writer.lines(), repeated(10, "error   plugin.echo: cannot adopt"));

  writer.now += 1s;
  writer.write("echo", SY_LOG_ERROR, "cannot adopt", 1);
  EXPECT_THAT(
      writer.lines(),
      ElementsAre(
          "warning plugin.echo: 990 more suppressed line=\"error: cannot adopt\"",
          "error   plugin.echo: cannot adopt"));
}

TEST(PluginLog, CountsOtherPhrasesLevelsAndPluginsByThemselves) {
  Writer writer;
  writer.write("echo", SY_LOG_ERROR, "cannot adopt", 1'000);
  static_cast<void>(writer.lines());
  writer.write("echo", SY_LOG_ERROR, "cannot dial", 1);
  writer.write("echo", SY_LOG_WARN, "cannot adopt", 1);
  writer.write("other", SY_LOG_ERROR, "cannot adopt", 1);
  EXPECT_THAT(
      writer.lines(),
      ElementsAre(
          "error   plugin.echo: cannot dial",
          "warning plugin.echo: cannot adopt",
          "error   plugin.other: cannot adopt"));
}

// A plugin that puts what a peer said in front has a bound too, and takes nobody else's.
TEST(PluginLog, BoundsAPluginWithoutPhrases) {
  Writer writer;
  for (int i = 0; i < 1'000; ++i)
    writer.write("echo", SY_LOG_ERROR, "peer says " + std::to_string(i), 1);
  EXPECT_EQ(writer.lines().size(), 15U + 10U);
  writer.write("other", SY_LOG_ERROR, "cannot adopt", 1);
  EXPECT_THAT(writer.lines(), ElementsAre("error   plugin.other: cannot adopt"));
}

TEST(PluginLog, TellsAtItsEndWhatItHeldBack) {
  Writer writer;
  writer.write("echo", SY_LOG_INFO, "ready", 12);
  static_cast<void>(writer.lines());
  writer.end();
  EXPECT_THAT(
      writer.lines(), ElementsAre("warning plugin.echo: 2 more suppressed line=\"info: ready\""));
}

} // namespace
} // namespace switchyard::host
