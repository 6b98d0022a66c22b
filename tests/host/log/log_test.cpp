#include <host/log/log.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <string>
#include <unistd.h>

namespace switchyard::host {
namespace {

using testing::MatchesRegex;

/// A stream that is read back as text.
class Stream {
public:
  [[nodiscard]] std::FILE* get() const noexcept { return file_.get(); }

  [[nodiscard]] std::string text() const {
    std::string all(4096, '\0');
    std::fflush(file_.get());
    std::rewind(file_.get());
    all.resize(std::fread(all.data(), 1, all.size(), file_.get()));
    return all;
  }

private:
  struct Close {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };

  std::unique_ptr<std::FILE, Close> file_{std::tmpfile()};
};

constexpr auto kInfo = spdlog::level::info;

TEST(Log, WritesTimeLevelComponentAndText) {
  const Stream stream;
  Log log{kInfo, LogFormat::Plain, stream.get()};
  log.component("listen")->warn("connection refused conn={} peer={}", 7, "127.0.0.1:4");
  EXPECT_THAT(
      stream.text(),
      MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}[+-][0-9]{2}:[0-9]{2} "
                   "warning listen: connection refused conn=7 peer=127\\.0\\.0\\.1:4\n"));
}

TEST(Log, ColoursOnlyATerminal) {
  for (const auto format : {LogFormat::Terminal, LogFormat::Plain, LogFormat::Journal}) {
    const Stream stream;
    Log log{kInfo, format, stream.get()};
    log.component("tls")->error("x");
    EXPECT_EQ(stream.text().find('\033') != std::string::npos, format == LogFormat::Terminal);
  }
}

TEST(Log, GivesTheJournalAPriorityInsteadOfATime) {
  const Stream stream;
  Log log{spdlog::level::trace, LogFormat::Journal, stream.get()};
  const auto logger = log.component("route");
  logger->debug("d");
  logger->info("i");
  logger->warn("w");
  logger->error("e");
  EXPECT_EQ(stream.text(), "<7>route: d\n<6>route: i\n<4>route: w\n<3>route: e\n");
}

TEST(Log, StaysOnOneLineWhateverAPeerSends) {
  const Stream stream;
  Log log{kInfo, LogFormat::Journal, stream.get()};
  log.component("tls")->info("name={}", "a\nb\r\t\x1b[2J\x7f\u00e9");
  EXPECT_EQ(stream.text(), "<6>tls: name=a\\x0ab\\x0d\\x09\\x1b[2J\\x7f\u00e9\n");
}

TEST(Log, LeavesOutWhatIsBelowItsLevel) {
  const Stream stream;
  Log log{log_level("warn"), LogFormat::Journal, stream.get()};
  const auto logger = log.component("listen");
  EXPECT_FALSE(logger->should_log(spdlog::level::info));
  logger->info("not this");
  logger->warn("this");
  EXPECT_EQ(stream.text(), "<4>listen: this\n");
}

TEST(Log, HasOneLoggerForEachComponent) {
  const Stream stream;
  Log log{kInfo, LogFormat::Plain, stream.get()};
  EXPECT_EQ(log.component("tls"), log.component("tls"));
  EXPECT_NE(log.component("tls"), log.component("plugin.netrpc"));
}

TEST(LogFormat, FollowsWhatReadsTheDescriptor) {
  const Stream stream;
  const auto descriptor = fileno(stream.get());

  struct stat status {};

  ASSERT_EQ(fstat(descriptor, &status), 0);
  const auto journal = std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);

  EXPECT_EQ(log_format(descriptor, nullptr), LogFormat::Plain);
  EXPECT_EQ(log_format(descriptor, "1:2"), LogFormat::Plain) << "redirected away from the journal";
  EXPECT_EQ(log_format(descriptor, journal.c_str()), LogFormat::Journal);

  const int terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY);
  ASSERT_GE(terminal, 0);
  EXPECT_EQ(log_format(terminal, journal.c_str()), LogFormat::Terminal);
  close(terminal);
}

} // namespace
} // namespace switchyard::host
