#include <host/plugin/order.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace switchyard::host {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// One plugin a line: "name provides… < requires… ? would like…"; "!" in front: refused already.
struct Scene {
  Config config;
  std::vector<Manifest> manifests;
  std::vector<bool> refused;

  explicit Scene(std::string_view text) {
    config.file = "plugins.toml";
    std::istringstream lines{std::string{text}};
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words{line};
      std::string word;
      words >> word;
      if (word.empty()) continue;
      refused.push_back(word.front() == '!');
      config.plugins.emplace_back().name = refused.back() ? word.substr(1) : word;
      auto& manifest = manifests.emplace_back();
      char kind = 'p';
      while (words >> word) {
        if (word == "<" || word == "?") {
          kind = word[0];
        } else if (kind == 'p') {
          manifest.provides.push_back({word + "/1", 1, false});
        } else {
          manifest.requires_.push_back({word + "/1", 1, kind == '?'});
        }
      }
    }
  }

  [[nodiscard]] Order order() const {
    std::vector<const Manifest*> pointers;
    for (const auto& manifest : manifests)
      pointers.push_back(&manifest);
    return start_order(config, pointers, refused);
  }

  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto at : order().start)
      all.push_back(config.plugins[at].name);
    return all;
  }

  [[nodiscard]] std::vector<std::string> problems() const {
    std::vector<std::string> all;
    for (const auto& problem : order().problems) {
      EXPECT_TRUE(
          problem.refusal.text.starts_with("plugin " + config.plugins[problem.plugin].name + ": "));
      all.push_back(problem.refusal.text);
    }
    return all;
  }
};

TEST(Order, PutsProvidersBeforeTheirConsumers) {
  const struct {
    std::string_view name;
    std::string_view scene;
    std::vector<std::string> order;
  } cases[] = {
      {"nothing", "", {}},
      {"strangers stay as they are", "c\nb\na", {"c", "b", "a"}},
      {"a chain", "a < x\nb x < y\nc y", {"c", "b", "a"}},
      {"a diamond",
       "top < l r\nleft l < b\nright r < b\nbottom b",
       {"bottom", "left", "right", "top"}},
      {"an optional provider", "a ? x\nb x", {"b", "a"}},
      {"an optional one that is not there", "a ? x\nb", {"a", "b"}},
      {"a circle with an optional side", "a x ? y\nb y < x", {"a", "b"}},
      {"a circle with optional sides", "a x ? y\nb y ? x", {"a", "b"}},
      {"what it provides itself", "a x < x", {"a"}},
      {"a refused one that is optional", "a ? x\n!b x", {"a"}},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const Scene scene{c.scene};
    EXPECT_EQ(scene.names(), c.order);
    EXPECT_THAT(scene.problems(), IsEmpty());
  }
}

TEST(Order, RefusesWhoeverRequiresWhatItCannotHave) {
  const Scene scene{"web < rpc\nrpc rpc < db\nother\n!db db"};
  EXPECT_THAT(scene.names(), ElementsAre("other"));
  EXPECT_THAT(
      scene.problems(),
      ElementsAre(
          "plugin rpc: requires db/1 of plugin db, which does not serve",
          "plugin web: requires rpc/1 of plugin rpc, which does not serve"));
}

TEST(Order, ShowsTheWholeCircle) {
  const Scene scene{"a x < z\nb y < x\nc z < y\non < x\nfree"};
  EXPECT_THAT(scene.names(), ElementsAre("free"));
  EXPECT_THAT(
      scene.problems(),
      ElementsAre(
          "plugin a: requires itself through others (a -> c -> b -> a): one of these requirements "
          "has to be optional",
          "plugin c: requires itself through others (c -> b -> a -> c): one of these requirements "
          "has to be optional",
          "plugin b: requires itself through others (b -> a -> c -> b): one of these requirements "
          "has to be optional",
          "plugin on: requires x/1 of plugin a, which does not serve"));
}

TEST(Order, TakesTheFirstOfTwoProviders) {
  const Scene scene{"a x\nb x\nc < x"};
  EXPECT_THAT(scene.names(), ElementsAre("a", "c"));
  EXPECT_THAT(
      scene.problems(),
      ElementsAre("plugin b: provides x/1, which plugin a provides already: enable one of them"));
}

} // namespace
} // namespace switchyard::host
