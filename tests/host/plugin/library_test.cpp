#include <host/plugin/library.hpp>

#include <gtest/gtest.h>
#include <tests/host/broken_plugins/yard.hpp>

#include <dlfcn.h>

namespace switchyard::host {
namespace {

bool is_mapped(const std::string& path) {
  return read_file("/proc/self/maps").find(path) != std::string::npos;
}

TEST(Library, LeavesTheProcess) {
  const Yard yard;
  const auto path = yard.put("one").string();
  auto library = Library::open("one", path, path, {});

  ASSERT_TRUE(library) << library.error().text;
  EXPECT_TRUE(is_mapped(path));
  EXPECT_STREQ(library->descriptor().id, "test.one");
  EXPECT_TRUE(library->unload());
  EXPECT_FALSE(is_mapped(path));
}

// dlclose() reports success for every one of these.
TEST(Library, KnowsWhenItHasNotLeft) {
  const Yard yard;
  for (const auto* pinned : {"nodelete", "one"}) {
    SCOPED_TRACE(pinned);
    const auto path = yard.put(pinned).string();
    auto library = Library::open(pinned, path, path, {});
    ASSERT_TRUE(library) << library.error().text;
    auto* second = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    EXPECT_FALSE(library->unload());
    EXPECT_TRUE(is_mapped(path));
    ::dlclose(second);
  }
}

TEST(Library, StaysWhenItIsRetained) {
  const Yard yard;
  const auto path = yard.put("two").string();
  {
    auto library = Library::open("two", path, path, {});
    ASSERT_TRUE(library);
    library->retain();
  }
  EXPECT_TRUE(is_mapped(path));
}

// What the host shares is loaded once and for all; the plugin that brought it in leaves alone.
TEST(Library, LeavesThePlatformBehind) {
  const Yard yard;
  const auto path = yard.put("needs_platform").string();
  const std::vector<std::string> platform{"libresolv.so.2", "libc.so.6"};
  ASSERT_FALSE(is_mapped("/libresolv.so.2"));
  auto library = Library::open("needs_platform", path, path, platform);

  ASSERT_TRUE(library) << library.error().text;
  EXPECT_TRUE(library->unload());
  EXPECT_FALSE(is_mapped(path));
  EXPECT_TRUE(is_mapped("/libresolv.so.2"));
}

// The loader would look beside the plugin, where its RUNPATH points, and find it there.
TEST(Library, TakesThePlatformFromTheSystemOnly) {
  const Yard yard;
  const auto path = yard.put("brings_platform").string();
  const std::vector<std::string> platform{"libgrpc_of_another_time.so"};
  const auto library = Library::open("brings_platform", "given.so", path, platform);
  ASSERT_FALSE(library);
  EXPECT_EQ(
      library.error().text,
      "plugin brings_platform: given.so cannot be loaded: libgrpc_of_another_time.so is missing: "
      "install its package");
}

TEST(Library, SaysWhyItCannotBeLoaded) {
  const Yard yard;
  write_file(yard.plugin_dir() / "text.so", "no library");
  const auto path = (yard.plugin_dir() / "text.so").string();
  const auto library = Library::open("text", "given.so", path, {});
  ASSERT_FALSE(library);
  EXPECT_EQ(library.error().text, "plugin text: given.so cannot be loaded: file too short");
}

} // namespace
} // namespace switchyard::host
