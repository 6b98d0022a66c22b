#include <host/command/table.hpp>

#include <gtest/gtest.h>

namespace switchyard::host {
namespace {

using enum Table::Align;

TEST(Table, AlignsItsColumns) {
  Table table{{{"NAME"}, {"COUNT", Right}, {"LAST"}}};
  table.add({"a", "1", "x"});
  table.add({"longer", "23456789", ""});
  table.add({"", "2", "y z"});
  EXPECT_EQ(
      table.text(),
      "NAME       COUNT  LAST\n"
      "a              1  x\n"
      "longer  23456789  -\n"
      "-              2  y z\n");
}

TEST(Table, ShowsItsTitlesWithoutRows) {
  EXPECT_EQ((Table{{{"A"}, {"B", Right}}}.text()), "A  B\n");
}

} // namespace
} // namespace switchyard::host
