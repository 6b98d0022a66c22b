#include <host/plugin/staging.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <tests/host/broken_plugins/yard.hpp>

#include <fcntl.h>
#include <future>
#include <sched.h>
#include <unistd.h>

namespace switchyard::host {
namespace {

struct stat status_of(const std::string& path) {
  struct stat found {};

  EXPECT_EQ(::stat(path.c_str(), &found), 0) << path;
  return found;
}

TEST(Staging, MakesAPrivateCopyWithANameOfItsOwn) {
  const Yard yard;
  auto directory = StagingDirectory::open(yard.data_dir());
  ASSERT_TRUE(directory) << directory.error().text;
  EXPECT_EQ(status_of(directory->path()).st_mode & 07777U, 0700U);

  const auto source = yard.put("one").string();
  write_file(source, "abc"); // its digest: FIPS 180-4, the one-block example
  auto copy = directory->stage({"one", source, "plugins.toml:1"});
  ASSERT_TRUE(copy) << copy.error().text;
  EXPECT_EQ(copy->size(), 3U);
  EXPECT_EQ(copy->sha256(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(status_of(copy->path()).st_mode & 07777U, 0500U);
  EXPECT_NE(status_of(copy->path()).st_ino, status_of(source).st_ino);

  EXPECT_EQ(copy->name("test.one", "1.0.0", 1), 1U);
  EXPECT_EQ(copy->path(), directory->path() + "/test.one-1.0.0-ba7816bf-g1.so");
  EXPECT_EQ(read_file(copy->path()), "abc");

  auto next = directory->stage({"one", source, "plugins.toml:1"});
  ASSERT_TRUE(next);
  EXPECT_EQ(next->name("test.one", "1.0.0", 1), 2U) << "the first free generation";
  EXPECT_NE(status_of(next->path()).st_ino, status_of(copy->path()).st_ino);
}

TEST(Staging, RemovesACopyUnlessItIsKept) {
  const Yard yard;
  auto directory = StagingDirectory::open(yard.data_dir());
  const auto source = yard.put("one").string();
  std::string gone;
  std::string kept;
  {
    auto first = directory->stage({"one", source, "plugins.toml:1"});
    auto second = directory->stage({"one", source, "plugins.toml:1"});
    second->keep();
    gone = first->path();
    kept = second->path();
  }
  EXPECT_FALSE(std::filesystem::exists(gone));
  EXPECT_TRUE(std::filesystem::exists(kept));

  // Whoever opens the directory next finds that nobody uses it any more.
  ASSERT_TRUE(StagingDirectory::open(yard.data_dir()));
  EXPECT_FALSE(std::filesystem::exists(kept));
}

TEST(Staging, LeavesTheCopiesOfOthersAlone) {
  const Yard yard;
  auto directory = StagingDirectory::open(yard.data_dir());
  auto copy = directory->stage({"one", yard.put("one"), "plugins.toml:1"});
  ASSERT_TRUE(StagingDirectory::open(yard.data_dir()));
  EXPECT_TRUE(std::filesystem::exists(copy->path()));
}

TEST(Staging, IsNotFooledByAFileThatChangesLater) {
  const Yard yard;
  auto directory = StagingDirectory::open(yard.data_dir());
  const auto source = yard.put("one");
  const auto whole = read_file(source);
  auto copy = directory->stage({"one", source, "plugins.toml:1"});
  std::filesystem::resize_file(source, 0);
  EXPECT_EQ(read_file(copy->path()), whole);
  EXPECT_EQ(MappedFile{*copy}.bytes().size(), whole.size());
}

TEST(Staging, SaysThatNoCodeCanRunThere) {
  const Yard yard;
  std::filesystem::create_directory(yard.data_dir());
  if (::unshare(CLONE_NEWNS) != 0 ||
      ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("none", yard.data_dir().c_str(), "tmpfs", MS_NOEXEC, nullptr) != 0) {
    GTEST_SKIP() << "only root can mount";
  }
  const auto directory = StagingDirectory::open(yard.data_dir());
  ASSERT_FALSE(directory);
  EXPECT_EQ(
      directory.error().text,
      yard.data_dir().string() + "/plugins is on a file system without the right to execute "
                                 "(noexec), so that no plugin can "
                                 "be loaded from there: move data_dir under [host]");
  EXPECT_EQ(::umount(yard.data_dir().c_str()), 0);
}

// `switchyard check` beside a server: what one clears away is never what the other makes just now.
// A lock belongs to an open file, so that threads meet here as processes do.
TEST(Staging, IsSharedByTwoAtOnce) {
  const Yard yard;
  const auto source = yard.put("one").string();
  const auto use = [&] {
    std::vector<std::string> wrong;
    for (int round = 0; round < 200; ++round) {
      auto directory = StagingDirectory::open(yard.data_dir());
      if (!directory) {
        wrong.push_back(directory.error().text);
        continue;
      }
      auto staged = directory->stage({"one", source, "plugins.toml:1"});
      if (!staged) {
        wrong.push_back(staged.error().text);
      } else if (staged->name("test.one", "1.0.0", 1) == 0) {
        wrong.push_back("no name for " + staged->path());
      } else if (read_file(staged->path()).size() != staged->size()) {
        wrong.push_back("nothing whole at " + staged->path());
      }
    }
    return wrong;
  };
  auto other = std::async(std::launch::async, use);
  EXPECT_THAT(use(), testing::IsEmpty());
  EXPECT_THAT(other.get(), testing::IsEmpty());
  const std::filesystem::directory_iterator left{yard.data_dir() / "plugins"};
  EXPECT_EQ(std::distance(begin(left), end(left)), 0);
}

} // namespace
} // namespace switchyard::host
