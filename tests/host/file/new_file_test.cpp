#include <host/file/new_file.hpp>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace switchyard::host {
namespace {

namespace fs = std::filesystem;

class NewFile : public testing::Test {
protected:
  NewFile() { dir_ = mkdtemp(dir_.data()); }

  ~NewFile() override { fs::remove_all(dir_); }

  [[nodiscard]] std::string read() const {
    std::ifstream input{path()};
    return {std::istreambuf_iterator<char>{input}, {}};
  }

  [[nodiscard]] std::string path() const { return dir_ + "/file"; }

  /// How many names the directory holds: a temporary one must not stay.
  [[nodiscard]] auto names() const {
    return std::distance(fs::directory_iterator{dir_}, fs::directory_iterator{});
  }

  std::string dir_ = "/tmp/switchyard-file-XXXXXX";
};

TEST_F(NewFile, HasItsBytesAndItsMode) {
  for (const mode_t mode : {0600u, 0644u}) {
    ASSERT_TRUE(write_file(path(), "text", mode, Existing::Replace));

    struct stat status {};

    ASSERT_EQ(stat(path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777u, mode);
    EXPECT_EQ(read(), "text");
    EXPECT_EQ(names(), 1);
  }
}

TEST_F(NewFile, KeepsOrReplacesTheOneThatIsThere) {
  ASSERT_TRUE(write_file(path(), "old", 0600, Existing::Keep));
  const auto kept = write_file(path(), "new", 0600, Existing::Keep);
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error(), boost::system::errc::file_exists);
  EXPECT_EQ(read(), "old");
  EXPECT_EQ(names(), 1);

  ASSERT_TRUE(write_file(path(), "new", 0600, Existing::Replace));
  EXPECT_EQ(read(), "new");
  EXPECT_EQ(names(), 1);
}

TEST_F(NewFile, SaysWhyItCannotBeWritten) {
  EXPECT_EQ(
      write_file(dir_ + "/none/file", "x", 0600, Existing::Replace).error(),
      boost::system::errc::no_such_file_or_directory);
  fs::create_directory(path());
  EXPECT_EQ(
      write_file(path(), "x", 0600, Existing::Replace).error(),
      boost::system::errc::is_a_directory);
  EXPECT_EQ(names(), 1);
}

} // namespace
} // namespace switchyard::host
