#include <host/command/project.hpp>

#include <gmock/gmock.h>

namespace switchyard::host {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST(Project, IsNamedAfterTheLastWordOfItsId) {
  EXPECT_EQ(project_name("com.example.hello"), "hello");
  EXPECT_EQ(project_name("hello"), "hello");
}

TEST(Project, HasAnIdThatAManifestAndABuildTake) {
  for (const auto* id : {"hello", "com.example.hello", "com.my-firm.hello_2", "a.b"})
    EXPECT_THAT(project_id_fault(id), IsEmpty()) << id;

  const struct {
    std::string id;
    const char* fault;
  } cases[] = {
      {"", "is not lower-case words"},
      {"Hello", "is not lower-case words"},
      {"com..hello", "is not lower-case words"},
      {".hello", "is not lower-case words"},
      {"com/hello", "which no file"},
      {"../hello", "is not lower-case words"},
      {"com.example.", "which no file"},
      {"com.example.my-plugin", "which no file"},
      {"com.example.9", "which no file"},
      {"com.example.test", "means something else"},
      {"all", "means something else"},
      {std::string(65, 'a'), "longer than 64"},
  };

  for (const auto& each : cases)
    EXPECT_THAT(project_id_fault(each.id), HasSubstr(each.fault)) << each.id;
}

TEST(Project, FillsItsTemplate) {
  EXPECT_EQ(fill_template("project(@name@) @id@", "com.a.b"), "project(b) com.a.b");
  EXPECT_EQ(fill_template("a@b.c @@name@ @name @", "com.a.b"), "a@b.c @b @name @");
  EXPECT_EQ(fill_template("@abi@ @abi_major@", "b").find('@'), std::string::npos);
}

} // namespace
} // namespace switchyard::host
