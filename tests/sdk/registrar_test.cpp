#include <switchyard/registrar.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tests/peer/fake_host.hpp>

#include <string>
#include <vector>

namespace switchyard {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Bell {
  std::uint32_t struct_size;
  std::uint32_t reserved;
  const char* sound;
};

/// Writes down what it is told; a key or registration of it says where it throws.
struct Tower {
  using Entry = Bell;
  static constexpr std::string_view kEntryName = "Bell";

  Tower(Host, std::string_view) {}

  void bind(std::string_view key, const Bell& bell, sy_registration*) {
    if (key == "taken") throw Failure{SY_EXISTS, "another bell has this name"};
    told.push_back("bind " + std::string{key} + " " + bell.sound);
  }

  void unbind(sy_registration* registration) {
    if (registration == nullptr) throw Failure{SY_NOT_FOUND, "tripped in unbind"};
    told.emplace_back("unbind");
  }

  void exchange(std::span<sy_registration* const> gone, std::span<const sy_binding> come) {
    if (gone.empty()) throw Failure{SY_INVALID, "nothing goes"};
    told.push_back(
        "exchange " + std::to_string(gone.size()) + " for " + std::to_string(come.size()));
  }

  void end_soon(sy_registration* registration, bool all) {
    if (registration == nullptr) throw Failure{SY_NOT_FOUND, "tripped in end_soon"};
    told.emplace_back(all ? "end all soon" : "end soon");
  }

  std::vector<std::string> told;
};

/// The least a registrar can have.
struct Post {
  using Entry = Bell;
  static constexpr std::string_view kEntryName = "Bell";

  Post(Host, std::string_view) {}

  void bind(std::string_view, const Bell&, sy_registration*) {}

  void unbind(sy_registration*) {}
};

struct Table {
  sy_registrar registrar;
  void (*more)();
};

constexpr auto kTower = Registrar<Tower>::describe(sizeof(Table));
constexpr auto kPost = Registrar<Post>::describe(sizeof(Table));
constexpr auto kPlugin = Plugin<Tower>::describe("com.example.tower", "1.0.0", "{}");

class RegistrarTest : public testing::Test {
protected:
  RegistrarTest() { EXPECT_EQ(kPlugin.init(host.get(), {}, &tower, &error), SY_OK); }

  ~RegistrarTest() override { kPlugin.destroy(tower); }

  sy_status bind(std::string_view key, const Bell& entry, std::size_t size = sizeof(Bell)) {
    return kTower.bind(tower, registration, to_c(key), &entry, size, &error);
  }

  [[nodiscard]] std::vector<std::string>& told() const { return Plugin<Tower>::of(tower).told; }

  peer::FakeHost host;
  sy_instance* tower = nullptr;
  sy_error error = make_error();
  const Bell bell{sizeof(Bell), 0, "ding"};
  char place = 0;
  sy_registration* const registration = reinterpret_cast<sy_registration*>(&place);
};

TEST_F(RegistrarTest, IsDescribed) {
  EXPECT_EQ(kTower.struct_size, sizeof(Table));
  EXPECT_NE(kTower.exchange, nullptr);
  EXPECT_NE(kTower.end_soon, nullptr);
  EXPECT_EQ(kPost.exchange, nullptr);
  EXPECT_EQ(kPost.end_soon, nullptr);
}

TEST_F(RegistrarTest, PassesOnWhatTheHostSays) {
  const sy_binding come[] = {
      {registration, to_c("a"), &bell, sizeof bell}, {registration, to_c("b"), &bell, sizeof bell}};
  EXPECT_EQ(bind("a", bell), SY_OK);
  EXPECT_EQ(kTower.exchange(tower, &registration, 1, come, 2, &error), SY_OK);
  kTower.end_soon(tower, registration, 0);
  kTower.end_soon(tower, registration, 1);
  kTower.unbind(tower, registration);
  EXPECT_THAT(
      told(), ElementsAre("bind a ding", "exchange 1 for 2", "end soon", "end all soon", "unbind"));
}

TEST_F(RegistrarTest, TakesNoEntryThatIsTooSmall) {
  const Bell old{sizeof bell - 1, 0, "dong"};

  const struct {
    const char* name;
    const Bell& bell;
    std::size_t size;
    sy_status status;
  } cases[] = {
      {"smaller than it says", bell, sizeof bell - 1, SY_INVALID},
      {"smaller by what it says", old, sizeof old, SY_INVALID},
      {"without a struct_size", bell, 0, SY_INVALID},
      {"larger", bell, sizeof bell + 8, SY_OK},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    told().clear();
    error = make_error();
    EXPECT_EQ(bind("a", c.bell, c.size), c.status);
    EXPECT_EQ(told().size(), c.status == SY_OK ? 1U : 0U);

    const sy_binding come[] = {
        {registration, to_c("a"), &bell, sizeof bell}, {registration, to_c("b"), &c.bell, c.size}};
    EXPECT_EQ(kTower.exchange(tower, &registration, 1, come, 2, &error), c.status);
    EXPECT_EQ(told().size(), c.status == SY_OK ? 2U : 0U);
    EXPECT_STREQ(error.text, c.status == SY_OK ? "" : "the entry is no Bell of this ABI");
  }
}

TEST_F(RegistrarTest, ReportsWhatItsFunctionsThrow) {
  EXPECT_EQ(bind("taken", bell), SY_EXISTS);
  EXPECT_STREQ(error.text, "another bell has this name");
  EXPECT_EQ(kTower.exchange(tower, nullptr, 0, nullptr, 0, &error), SY_INVALID);
  EXPECT_STREQ(error.text, "nothing goes");
  kTower.unbind(tower, nullptr);
  kTower.end_soon(tower, nullptr, 0);
  EXPECT_THAT(host.lines(), ElementsAre("tripped in unbind", "tripped in end_soon"));
  EXPECT_THAT(told(), IsEmpty());
}

} // namespace
} // namespace switchyard
