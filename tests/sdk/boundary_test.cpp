#include <switchyard/boundary.hpp>
#include <switchyard/status.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>
#include <stdexcept>
#include <string>

namespace switchyard {
namespace {

TEST(Boundary, TurnsWhatEscapesIntoAStatusAndASentence) {
  const struct {
    std::string_view name;
    void (*body)();
    sy_status status;
    std::string_view text;
  } cases[] = {
      {"nothing", [] {}, SY_OK, ""},
      {"failure",
       [] {
         throw Failure{SY_LIMIT, "too many"};
       },
       SY_LIMIT,
       "too many"},
      {"memory", [] { throw std::bad_alloc{}; }, SY_NO_MEMORY, "out of memory"},
      {"exception", [] { throw std::out_of_range{"at 3"}; }, SY_INTERNAL, "at 3"},
      {"anything", [] { throw 1; }, SY_INTERNAL, "an exception that is no std::exception"},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    auto error = make_error();
    EXPECT_EQ(at_boundary(&error, c.body), c.status);
    EXPECT_EQ(error.code, c.status);
    EXPECT_EQ(static_cast<const char*>(error.text), c.text);
    EXPECT_EQ(at_boundary(c.body), c.status);
  }
}

TEST(Boundary, PassesAStatusOn) {
  EXPECT_EQ(at_boundary([]() -> sy_status { return SY_BUSY; }), SY_BUSY);
}

TEST(Fill, CutsBetweenTwoCharacters) {
  for (std::size_t ascii = 495; ascii < 500; ++ascii) {
    SCOPED_TRACE(ascii);
    auto error = make_error();
    EXPECT_EQ(fill(&error, SY_INVALID, std::string(ascii, 'a') + "\u20ac\u20ac"), SY_INVALID);
    const std::string text{static_cast<const char*>(error.text)};
    EXPECT_EQ(text, std::string(ascii, 'a') + (ascii <= 496 ? "\u20ac" : ""));
  }
}

TEST(Fill, AcceptsThatNobodyAsks) {
  EXPECT_EQ(fill(nullptr, SY_INVALID, "x"), SY_INVALID);
}

TEST(Status, ComparesAsAnErrorCode) {
  EXPECT_FALSE(to_error_code(SY_OK));
  EXPECT_EQ(to_error_code(SY_CANCELLED), Status::Cancelled);
  EXPECT_STREQ(to_error_code(SY_CANCELLED).category().name(), "switchyard");
  EXPECT_EQ(to_error_code(SY_TIMED_OUT).message(), "timed out");
  EXPECT_EQ(to_error_code(-1234).message(), "status -1234");
}

} // namespace
} // namespace switchyard
