// Processes that crash, and what they leave.
#include <host/crash/boundary.hpp>
#include <host/crash/crash_box.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <unistd.h>

namespace switchyard::host {
namespace {

using testing::HasSubstr;

/// Machine code as a plugin's: mapped by itself, outside of this program.
class Code {
public:
  Code() {
#if defined(__x86_64__)
    constexpr unsigned char kReadsNull[] = {0x31, 0xc0, 0x8b, 0x00, 0xc3}; // xor; mov; ret
    constexpr unsigned char kCalls[] = {0x55, 0xff, 0xd7, 0x5d, 0xc3};     // call *rdi
#else
    constexpr unsigned char kReadsNull[] = {0x00, 0x00, 0x80, 0xd2, 0x00, 0x00, 0x40, 0xf9};
    constexpr unsigned char kCalls[] = {
        0xfd,
        0x7b,
        0xbf,
        0xa9,
        0x00,
        0x00,
        0x3f,
        0xd6,
        0xfd,
        0x7b,
        0xc1,
        0xa8,
        0xc0,
        0x03,
        0x5f,
        0xd6};
#endif
    auto* page = ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    std::memcpy(page, kReadsNull, sizeof kReadsNull);
    std::memcpy(static_cast<char*>(page) + 64, kCalls, sizeof kCalls);
    ::mprotect(page, kSize, PROT_READ | PROT_EXEC);
    __builtin___clear_cache(static_cast<char*>(page), static_cast<char*>(page) + kSize);
    begin = page;
  }

  ~Code() {
    ::munmap(begin, kSize);
  }

  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;

  void read_null() const {
    reinterpret_cast<void (*)()>(begin)();
  }

  void call(void (*function)()) const {
    reinterpret_cast<void (*)(void (*)())>(static_cast<char*>(begin) + 64)(function);
  }

  static constexpr std::size_t kSize = 4096;
  void* begin;
};

class CrashBox : public testing::Test {
protected:
  CrashBox() {
    auto pattern = (std::filesystem::temp_directory_path() / "crash-XXXXXX").string();
    directory = ::mkdtemp(pattern.data());
  }

  ~CrashBox() override { std::filesystem::remove_all(directory); }

  /// Runs `crash` in a process of its own. The signal that has ended it; its last words in `said`.
  int crash(const std::function<void()>& crash) {
    int words[2];
    EXPECT_EQ(::pipe(words), 0);
    const auto child = ::fork();
    if (child == 0) {
      ::dup2(words[1], STDERR_FILENO);
      ::alarm(60);
      for (const int fatal : {SIGSEGV, SIGBUS, SIGABRT})
        std::signal(fatal, SIG_DFL); // a sanitizer has its own
      if (!install_crash_box(file())) ::_exit(1);
      crash();
      ::_exit(0);
    }
    ::close(words[1]);
    char buffer[4096];
    for (ssize_t got = 0; (got = ::read(words[0], buffer, sizeof buffer)) > 0;)
      said.append(buffer, static_cast<std::size_t>(got));
    ::close(words[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
  }

  [[nodiscard]] std::string file() const { return directory + "/crash"; }

  std::string directory;
  std::string said;
};

TEST_F(CrashBox, NamesThePluginWhoseCodeRan) {
  const Code code;
  EXPECT_EQ(
      crash([&] {
        const LoadedCode other{&directory, 1, "other", 1, "ff"};
        const LoadedCode loaded{code.begin, Code::kSize, "netrpc", 3, "abcd"};
        const BoundaryCrossed crossed{"serve()", "netrpc"};
        code.read_null();
      }),
      SIGSEGV);
  EXPECT_THAT(said, HasSubstr("switchyard: crashed signal=11 (SIGSEGV) thread="));
  EXPECT_THAT(said, HasSubstr(" in plugin netrpc generation 3 at offset 0x"));
  EXPECT_THAT(said, HasSubstr(" sha256=abcd; last call into a plugin: serve() of plugin netrpc\n"));
  EXPECT_EQ(take_crash_record(file()), (CrashRecord{"netrpc", 3, "abcd", SIGSEGV, "serve()"}));
  EXPECT_EQ(take_crash_record(file()), std::nullopt) << "it is taken once";
}

TEST_F(CrashBox, FindsThePluginThatHasCalledWhatCrashed) {
  const Code code;
  EXPECT_EQ(
      crash([&] {
        const LoadedCode loaded{code.begin, Code::kSize, "netrpc", 3, "abcd"};
        code.call([] { std::abort(); });
      }),
      SIGABRT);
  EXPECT_THAT(said, HasSubstr("signal=6 (SIGABRT)"));
  EXPECT_THAT(said, HasSubstr(" in a call of plugin netrpc generation 3 at offset 0x4"));
  EXPECT_THAT(said, HasSubstr("; no call into a plugin was under way on this thread\n"));
  EXPECT_EQ(take_crash_record(file()), (CrashRecord{"netrpc", 3, "abcd", SIGABRT, ""}));
}

TEST_F(CrashBox, BlamesNobodyForWhatIsNobodys) {
  const Code code;
  EXPECT_EQ(
      crash([&] {
        { const LoadedCode gone{code.begin, Code::kSize, "netrpc", 3, "abcd"}; }
        code.read_null();
      }),
      SIGSEGV);
  EXPECT_THAT(said, HasSubstr(" outside of every plugin at 0x"));
  EXPECT_EQ(take_crash_record(file()), (CrashRecord{"", 0, "", SIGSEGV, ""}));
}

TEST_F(CrashBox, LeavesASignalThatIsSentAsItIs) {
  EXPECT_EQ(crash([] { ::kill(::getpid(), SIGBUS); }), SIGBUS);
  EXPECT_THAT(said, HasSubstr("signal=7 (SIGBUS)"));
}

TEST_F(CrashBox, LeavesNothingWhenNothingHappens) {
  EXPECT_EQ(crash([] {}), 0);
  EXPECT_EQ(take_crash_record(file()), std::nullopt);
  EXPECT_EQ(take_crash_record(directory + "/none"), std::nullopt);
}

TEST(Boundary, GoesBackToTheOneBefore) {
  {
    const BoundaryCrossed outer{"serve()", "a"};
    {
      const BoundaryCrossed inner{"a timer's function", "b"};
      EXPECT_EQ(current_boundary.plugin, "b");
    }
    EXPECT_EQ(current_boundary.function, "serve()");
  }
  EXPECT_EQ(current_boundary.function, "");
}

TEST(CrashRecordText, IsWholeOrNothing) {
  EXPECT_TRUE(parse_crash_record("plugin=a generation=1 sha256=b signal=11 function=serve()\n"));
  for (const auto* text :
       {"",
        "\n",
        "plugin=a",
        "plugin=a generation=1 sha256=b signal=11 function=serve()",
        "plugin=a generation=x sha256=b signal=11 function=\n",
        "plugin=a generation=1 sha256=b signal=99999999999 function=\n",
        "generation=1 plugin=a sha256=b signal=11 function=\n",
        "plugin=a generation=1 sha256=b signal=11 function=\nmore"})
    EXPECT_EQ(parse_crash_record(text), std::nullopt) << text;
}

} // namespace
} // namespace switchyard::host
