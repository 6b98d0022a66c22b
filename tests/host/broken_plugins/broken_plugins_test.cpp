// Every way in which a plugin or its configuration can be broken: one sentence each, and the plugin
// beside it serves. That a fixture is broken is proven by the sentence; that it is broken in one
// way only, by "one", which is the same source without a macro.
#include "yard.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <elf.h>
#include <fstream>
#include <functional>
#include <unistd.h>

namespace switchyard::host {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

/// Replaces every "{dir}" by the plugin directory and "{data}" by the data directory.
std::string with_paths(const Yard& yard, std::string text) {
  const std::pair<std::string, std::string> names[] = {
      {"{dir}", yard.plugin_dir()},
      {"{data}", yard.data_dir()},
      {"{uid}", std::to_string(::geteuid())}};
  for (const auto& [name, value] : names) {
    for (auto at = text.find(name); at != std::string::npos; at = text.find(name, at)) {
      text.replace(at, name.size(), value);
    }
  }
  return text;
}

/// What `break_it` has enabled gives exactly `sentences`, and "one" beside it serves.
void expect_refused(
    const std::function<void(Yard&)>& break_it,
    std::vector<std::string> sentences,
    std::chrono::milliseconds limit = 60s) {
  Yard yard{0ms};
  yard.put_and_enable("one");
  yard.config.limits.probe_timeout = limit;
  yard.config.limits.control_timeout = limit;
  break_it(yard);
  for (auto& sentence : sentences)
    sentence = with_paths(yard, sentence);

  PluginSet set{yard.config, yard.services, {}};
  EXPECT_EQ(texts(set.start()), sentences);
  ASSERT_NE(set.find("one"), nullptr);
  auto& one = set.find("one")->serving();
  EXPECT_EQ(one.state(), PluginState::Serving) << one.why();
  EXPECT_TRUE(one.health());
  for (const auto& plugin : set.plugins()) {
    const auto& instance = plugin->serving();
    if (instance.state() == PluginState::Serving) continue;
    EXPECT_EQ(instance.state(), PluginState::Failed);
    EXPECT_THAT(sentences, testing::Contains(instance.why()));
  }
}

/// One line of sentences.txt.
struct Fixture {
  std::string name;
  std::string sentence;
};

std::vector<Fixture> read_sentences() {
  std::ifstream lines{SWITCHYARD_SOURCE_DIR "/tests/host/broken_plugins/sentences.txt"};
  std::vector<Fixture> all;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.front() == '#') continue;
    const auto end = line.find(": ");
    all.push_back({line.substr(0, end), line.substr(end + 2)});
  }
  return all;
}

class BrokenFixture : public testing::TestWithParam<Fixture> {};

TEST_P(BrokenFixture, GivesItsOneSentence) {
  const auto& [name, sentence] = GetParam();
  auto expected = "plugin " + name + ": " + sentence;
  if (const auto at = expected.find("{file}"); at != std::string::npos) {
    expected.replace(at, std::string_view{"{file}"}.size(), "{dir}/" + name + ".so");
  }
  if (const auto at = expected.find("{config}"); at != std::string::npos) {
    expected.replace(at, std::string_view{"{config}"}.size(), "plugins.toml:20");
  }
  // Time decides nothing but this: long enough for the good plugin on a busy machine.
  const auto limit = name.starts_with("hang_") ? 4s : 60s;
  expect_refused([name = name](Yard& yard) { yard.put_and_enable(name); }, {expected}, limit);
}

INSTANTIATE_TEST_SUITE_P(
    InSentences, BrokenFixture, testing::ValuesIn(read_sentences()), [](const auto& of) {
      return of.param.name;
    });

struct Damage {
  const char* name;
  std::function<void(Yard&, const std::filesystem::path&)> done; ///< to a copy of "two"
  const char* sentence;                                          ///< after "plugin two: "
};

class DamagedFile : public testing::TestWithParam<Damage> {};

TEST_P(DamagedFile, GivesItsOneSentence) {
  expect_refused(
      [&](Yard& yard) {
        yard.put_and_enable("two");
        GetParam().done(yard, yard.plugin_dir() / "two.so");
      },
      {std::string{"plugin two: "} + GetParam().sentence});
}

void patch(const std::filesystem::path& path, std::size_t at, std::string_view bytes) {
  auto file = read_file(path);
  file.replace(at, bytes.size(), bytes);
  write_file(path, file);
}

using std::filesystem::path;

INSTANTIATE_TEST_SUITE_P(
    Staged,
    DamagedFile,
    testing::Values(
        Damage{
            "missing",
            [](Yard&, const path& p) { std::filesystem::remove(p); },
            "{dir}/two.so does not exist: install it, or correct library at plugins.toml:20"},
        Damage{
            "directory",
            [](Yard&, const path& p) {
              std::filesystem::remove(p);
              std::filesystem::create_directory(p);
            },
            "{dir}/two.so is not a regular file: library names a shared object"},
        Damage{
            "fifo",
            [](Yard&, const path& p) {
              std::filesystem::remove(p);
              ::mkfifo(p.c_str(), 0600);
            },
            "{dir}/two.so is not a regular file: library names a shared object"},
        Damage{
            "empty",
            [](Yard&, const path& p) { write_file(p, ""); },
            "{dir}/two.so is empty: copy "
            "it again"},
        Damage{
            "text",
            [](Yard&, const path& p) { write_file(p, "#!/bin/sh\nexit 0\n"); },
            "{dir}/two.so is not an ELF file: library names a shared object (.so)"},
        Damage{
            "writable_by_all",
            [](Yard&, const path& p) { ::chmod(p.c_str(), 0777); },
            "{dir}/two.so can be written by others than its owner (mode 0777): take that away with "
            "chmod go-w"},
        Damage{
            "writable_by_group",
            [](Yard&, const path& p) { ::chmod(p.c_str(), 0775); },
            "{dir}/two.so can be written by others than its owner (mode 0775): take that away with "
            "chmod go-w"},
        Damage{
            "in_writable_directory",
            [](Yard& yard, const path& p) {
              const auto open = yard.plugin_dir() / "open";
              std::filesystem::create_directory(open);
              ::chmod(open.c_str(), 01777);
              std::filesystem::rename(p, open / "two.so");
              yard.config.plugins.back().library = open / "two.so";
            },
            "the directory {dir}/open can be written by everybody (mode 01777): take that away "
            "with "
            "chmod o-w"},
        Damage{
            "linked_into_writable_directory",
            [](Yard& yard, const path& p) {
              const auto open = yard.plugin_dir() / "open";
              std::filesystem::create_directory(open);
              ::chmod(open.c_str(), 0777);
              std::filesystem::rename(p, open / "two.so");
              std::filesystem::create_symlink(open / "two.so", p);
            },
            "the directory {dir}/open can be written by everybody (mode 0777): take that away with "
            "chmod o-w"},
        Damage{
            "dangling_link",
            [](Yard&, const path& p) {
              std::filesystem::remove(p);
              std::filesystem::create_symlink("nowhere.so", p);
            },
            "{dir}/two.so does not exist: install it, or correct library at plugins.toml:20"}),
    [](const auto& of) { return of.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Patched,
    DamagedFile,
    testing::Values(
        Damage{
            "other_machine",
            [](Yard&, const path& p) {
              patch(p, offsetof(Elf64_Ehdr, e_machine), {"\x08\0", 2});
            },
            "{dir}/two.so was built for ELF machine 8, this host runs on " SWITCHYARD_MACHINE
            ": build it for that"},
        Damage{
            "other_class",
            [](Yard&, const path& p) { patch(p, EI_CLASS, "\x01"); },
            "{dir}/two.so was built for " SWITCHYARD_MACHINE
            " of another class or byte order, this host runs on " SWITCHYARD_MACHINE
            ": build it for that"},
        Damage{
            "object_file",
            [](Yard&, const path& p) {
              patch(p, offsetof(Elf64_Ehdr, e_type), {"\x01\0", 2});
            },
            "{dir}/two.so is an object file (.o) and not a shared object: link it with -shared"},
        Damage{
            "executable",
            [](Yard&, const path& p) {
              patch(p, offsetof(Elf64_Ehdr, e_type), {"\x02\0", 2});
            },
            "{dir}/two.so is an executable and not a shared object: link it with -shared"},
        Damage{
            "without_sections",
            [](Yard&, const path& p) {
              patch(p, offsetof(Elf64_Ehdr, e_shnum), {"\0\0", 2});
            },
            "{dir}/two.so has a broken section table: build it again"}),
    [](const auto& of) { return of.param.name; });

class CutFile : public testing::TestWithParam<double> {};

TEST_P(CutFile, IsRefusedWithBothSizes) {
  std::string whole;
  std::string part;
  Yard yard;
  yard.put_and_enable("one");
  yard.put_and_enable("two");
  const auto path = yard.plugin_dir() / "two.so";
  const auto size = std::filesystem::file_size(path);
  const auto kept = std::min<std::uintmax_t>(
      static_cast<std::uintmax_t>(static_cast<double>(size) * GetParam()), size - 1);
  std::filesystem::resize_file(path, std::max<std::uintmax_t>(kept, 4));

  PluginSet set{yard.config, yard.services, {}};
  const auto refusals = set.start();
  ASSERT_EQ(refusals.size(), 1U);
  EXPECT_EQ(refusals[0].code, RefusalCode::Truncated);
  EXPECT_EQ(
      refusals[0].text,
      "plugin two: " + path.string() + " has " + std::to_string(std::filesystem::file_size(path)) +
          " bytes where its headers speak of " +
          std::to_string(kept < sizeof(Elf64_Ehdr) ? sizeof(Elf64_Ehdr) : size) +
          ": it is cut off or half copied, copy it again");
  EXPECT_EQ(set.find("one")->serving().state(), PluginState::Serving);
}

INSTANTIATE_TEST_SUITE_P(At, CutFile, testing::Values(0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1.0));

struct Wrong {
  const char* name;
  std::function<void(Yard&)> done; ///< next to "one", which is at plugins.toml:10
  std::vector<std::string> sentences;
};

class WrongConfiguration : public testing::TestWithParam<Wrong> {};

TEST_P(WrongConfiguration, GivesItsSentence) {
  expect_refused(GetParam().done, GetParam().sentences);
}

void enable_all(Yard& yard, std::initializer_list<const char*> fixtures) {
  for (const auto* fixture : fixtures)
    yard.put_and_enable(fixture);
}

INSTANTIATE_TEST_SUITE_P(
    Routes,
    WrongConfiguration,
    testing::Values(
        Wrong{
            "duplicate_tag",
            [](Yard& yard) {
              enable_all(yard, {"tag_64", "tag_64_too"});
            },
            {"plugin tag_64_too: tag 64 of protocol test.tag_64_too at plugins.toml:30 is taken by "
             "protocol test.tag_64 of plugin tag_64 at plugins.toml:20: give one of them another "
             "with [[plugin.NAME.route]]"}},
        Wrong{
            "duplicate_tag_by_override",
            [](Yard& yard) {
              enable_all(yard, {"tag_64", "alpn"});
              yard.config.plugins.back().routes = {{"test.alpn", std::uint8_t{64}, {}, {33}}};
            },
            {"plugin alpn: tag 64 of protocol test.alpn at plugins.toml:33 is taken by protocol "
             "test.tag_64 of plugin tag_64 at plugins.toml:20: give one of them another with "
             "[[plugin.NAME.route]]"}},
        Wrong{
            "duplicate_alpn",
            [](Yard& yard) {
              enable_all(yard, {"alpn", "alpn_too"});
            },
            {"plugin alpn_too: ALPN name \"test/alpn\" of protocol test.alpn_too at "
             "plugins.toml:30 "
             "is taken by protocol test.alpn of plugin alpn at plugins.toml:20: give one of them "
             "another with [[plugin.NAME.route]]"}},
        Wrong{
            "duplicate_protocol",
            [](Yard& yard) {
              enable_all(yard, {"name", "name_too"});
            },
            {"plugin name_too: the name of protocol test.name at plugins.toml:30 is taken by "
             "protocol test.name of plugin name at plugins.toml:20: give one of them another with "
             "[[plugin.NAME.route]]"}},
        Wrong{
            "tag_of_tls",
            [](Yard& yard) { enable_all(yard, {"tag_22"}); },
            {"plugin tag_22: protocol test.tag_22 claims tag 22 at plugins.toml:20, which means "
             "TLS: give it another one than 3 and 20 to 23"}},
        Wrong{
            "route_of_no_protocol",
            [](Yard& yard) {
              enable_all(yard, {"alpn"});
              yard.config.plugins.back().routes = {{"test.apln", std::uint8_t{9}, {}, {22}}};
            },
            {"plugin alpn: plugins.toml:22 routes protocol \"test.apln\", which is none of its "
             "own: "
             "it has test.alpn"}},
        Wrong{
            "listener_of_no_protocol",
            [](Yard& yard) {
              enable_all(yard, {"alpn"});
              yard.config.listeners = {
                  {"grpc", "127.0.0.1:0", "grpc.external", false, false, false, {5}}};
            },
            {"plugins.toml:5: listener grpc speaks protocol \"grpc.external\", which no plugin "
             "has: "
             "there is test.alpn"}}),
    [](const auto& of) { return of.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Requirements,
    WrongConfiguration,
    testing::Values(
        Wrong{
            "missing_provider",
            [](Yard& yard) { enable_all(yard, {"alarm"}); },
            {"plugin alarm: requires test.clock/1, which no plugin in plugins.toml provides: add "
             "one "
             "that does"}},
        Wrong{
            "old_provider",
            [](Yard& yard) {
              enable_all(yard, {"alarm_newer", "clock"});
            },
            {"plugin alarm_newer: requires test.clock/1 with minor 3, but plugin clock provides "
             "minor 2: upgrade that one"}},
        Wrong{
            "failed_provider",
            [](Yard& yard) {
              enable_all(yard, {"alarm", "no_table"});
            },
            {"plugin no_table: does not give the table of test.clock/1, which its manifest "
             "provides: "
             "return it from query()",
             "plugin alarm: requires test.clock/1 of plugin no_table, which does not serve"}},
        Wrong{
            "provider_with_a_wrong_config",
            [](Yard& yard) {
              enable_all(yard, {"alarm", "clock"});
              yard.config.plugins.back().config = R"({"port":99999})";
            },
            {"plugin clock: does not take its config at plugins.toml:30: port: 99999 is no port",
             "plugin alarm: requires test.clock/1 of plugin clock, which does not serve"}},
        Wrong{
            "two_providers",
            [](Yard& yard) {
              enable_all(yard, {"clock", "clock_too"});
            },
            {"plugin clock_too: provides test.clock/1, which plugin clock provides already: enable "
             "one of them"}},
        Wrong{
            "circle",
            [](Yard& yard) {
              enable_all(yard, {"hen", "egg"});
            },
            {"plugin hen: requires itself through others (hen -> egg -> hen): one of these "
             "requirements has to be optional",
             "plugin egg: requires itself through others (egg -> hen -> egg): one of these "
             "requirements has to be optional"}}),
    [](const auto& of) { return of.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Settings,
    WrongConfiguration,
    testing::Values(
        Wrong{
            "refused_config",
            [](Yard& yard) { yard.put_and_enable("two").config = R"({"port":99999})"; },
            {"plugin two: does not take its config at plugins.toml:20: port: 99999 is no port"}},
        Wrong{
            "config_for_none",
            [](Yard& yard) { yard.put_and_enable("no_check").config = R"({"port":1})"; },
            {"plugin no_check: takes no config, but plugins.toml:20 gives it one: remove that"}}),
    [](const auto& of) { return of.param.name; });

TEST(WrongConfiguration, BareNameWithoutAPluginDirectory) {
  Yard yard;
  const auto one = yard.put("one");
  yard.enable("one").library = one;
  yard.enable("two");
  yard.config.host.plugin_dir.clear();

  PluginSet set{yard.config, yard.services, {}};
  EXPECT_THAT(
      texts(set.start()),
      ElementsAre(
          "plugin two: library \"two.so\" is a bare name, but plugins.toml has no plugin_dir "
          "under [host]: set it, or give a path"));
  EXPECT_EQ(set.find("one")->serving().state(), PluginState::Serving);
}

TEST(WrongConfiguration, FileOfAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  expect_refused(
      [](Yard& yard) {
        yard.put_and_enable("two");
        ASSERT_EQ(::chown((yard.plugin_dir() / "two.so").c_str(), 12345, 12345), 0);
      },
      {"plugin two: {dir}/two.so belongs to user 12345: a plugin belongs to root or to the user of "
       "this process, {uid}"});
}

TEST(WrongConfiguration, DirectoryOfAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a directory away";
  expect_refused(
      [](Yard& yard) {
        const auto theirs = yard.plugin_dir() / "theirs";
        std::filesystem::create_directory(theirs);
        ASSERT_EQ(::chown(theirs.c_str(), 12345, 12345), 0);
        std::filesystem::rename(yard.put("two"), theirs / "two.so");
        yard.enable("two").library = theirs / "two.so";
      },
      {"plugin two: the directory {dir}/theirs belongs to user 12345: the directory of a plugin "
       "belongs to root or to the user of this process, {uid}"});
}

// What stops everybody: no plugin can be copied anywhere.
TEST(WrongDataDirectory, IsNamed) {
  const struct {
    std::string name;
    std::function<void(Yard&)> done;
    std::string sentence;
  } cases[] = {
      {"a file",
       [](Yard& yard) { write_file(yard.data_dir(), ""); },
       "{data}/plugins, where copies of plugins are kept, cannot be used: Not a directory: correct "
       "data_dir under [host]"},
      {"open to others",
       [](Yard& yard) {
         std::filesystem::create_directories(yard.data_dir() / "plugins");
         ::chmod((yard.data_dir() / "plugins").c_str(), 0755);
       },
       "{data}/plugins, where copies of plugins are kept, cannot be used: others than its owner "
       "can "
       "use it (mode 0755): correct data_dir under [host]"},
      {"a link",
       [](Yard& yard) {
         std::filesystem::create_directories(yard.data_dir());
         std::filesystem::create_symlink("/tmp", yard.data_dir() / "plugins");
       },
       "{data}/plugins, where copies of plugins are kept, cannot be used: it is not a directory: "
       "correct data_dir under [host]"},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    Yard yard;
    yard.put_and_enable("one");
    c.done(yard);
    PluginSet set{yard.config, yard.services, {}};
    EXPECT_THAT(texts(set.start()), ElementsAre(with_paths(yard, c.sentence)));
    EXPECT_THAT(check_plugins(yard.config), ElementsAre(with_paths(yard, c.sentence)));
  }
}

TEST(BrokenPlugin, StopsEverythingWhenItIsSetSo) {
  Yard yard;
  yard.put_and_enable("one");
  yard.put_and_enable("fail_in_start");
  yard.put_and_enable("two");
  yard.config.host.on_plugin_failure = OnPluginFailure::Exit;

  PluginSet set{yard.config, yard.services, {}};
  EXPECT_THAT(
      texts(set.start()), ElementsAre("plugin fail_in_start: start() failed: port 53 is taken"));
  EXPECT_EQ(set.find("one")->serving().state(), PluginState::Unloaded);
  EXPECT_EQ(set.find("two")->serving().state(), PluginState::Probed);
}

// `check` says what `serve` would, as far as a child process can tell, and leaves nothing behind.
TEST(BrokenPlugin, IsFoundByTheCheck) {
  Yard yard;
  enable_all(yard, {"one", "crash_in_check", "tag_64", "tag_64_too", "alarm", "fail_in_init"});

  EXPECT_THAT(
      check_plugins(yard.config),
      ElementsAre(
          with_paths(
              yard,
              "plugin crash_in_check: {dir}/crash_in_check.so crashed its trial process in "
              "check_config() (signal 11, Segmentation fault)"),
          testing::StartsWith("plugin tag_64_too: tag 64 of protocol"),
          testing::StartsWith("plugin alarm: requires test.clock/1, which no plugin")));
  EXPECT_FALSE(std::filesystem::exists(yard.data_dir()));
}

// Root checks what another user is going to serve, and leaves that user what it has.
TEST(WrongDataDirectory, MayBeAnotherUsersWhenRootChecks) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a directory away";
  Yard yard;
  yard.put_and_enable("one");
  std::filesystem::create_directories(yard.data_dir() / "plugins");
  ::chmod((yard.data_dir() / "plugins").c_str(), 0700);
  ASSERT_EQ(::chown((yard.data_dir() / "plugins").c_str(), 12345, 12345), 0);
  EXPECT_THAT(check_plugins(yard.config), testing::IsEmpty());
  EXPECT_TRUE(std::filesystem::is_empty(yard.data_dir() / "plugins"));

  PluginSet set{yard.config, yard.services, {}};
  EXPECT_THAT(
      texts(set.start()),
      ElementsAre(with_paths(
          yard,
          "{data}/plugins, where copies of plugins are kept, cannot be used: it belongs to user "
          "12345: correct data_dir under [host]")));
}

TEST(WrongTemporaryDirectory, IsNamed) {
  Yard yard;
  yard.put_and_enable("one");
  const auto missing = yard.data_dir() / "missing";
  ASSERT_EQ(::setenv("TMPDIR", missing.c_str(), 1), 0);
  const auto sentences = check_plugins(yard.config);
  ::unsetenv("TMPDIR");
  EXPECT_THAT(
      sentences,
      ElementsAre(testing::EndsWith("where copies of plugins are kept for a trial, cannot be used: "
                                    "No such file or directory: "
                                    "set TMPDIR to a directory that can")));
}

} // namespace
} // namespace switchyard::host
