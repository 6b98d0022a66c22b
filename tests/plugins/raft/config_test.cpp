#include <switchyard/failure.hpp>

#include <plugins/raft/driver/config.hpp>

#include <gtest/gtest.h>

namespace switchyard::raft {
namespace {

std::string refusal(const char* json) {
  try {
    static_cast<void>(parse_config(json));
    return "taken";
  } catch (const Failure& failure) {
    return failure.what();
  }
}

TEST(RaftConfig, HasDefaults) {
  const auto config = parse_config(R"({"node":"s1"})");
  EXPECT_EQ(config.node.core.id, "s1");
  EXPECT_EQ(config.node.core.address, "127.0.0.1:8300");
  EXPECT_EQ(config.node.data_dir, "data/raft");
  EXPECT_EQ(config.server_name, "server.dc1.consul");
  EXPECT_TRUE(config.founders.servers.empty());
}

TEST(RaftConfig, TakesFounders) {
  const auto alone = parse_config(R"({"node":"s1","bootstrap":true})");
  ASSERT_EQ(alone.founders.servers.size(), 1U);
  EXPECT_EQ(alone.founders.servers[0].address, "127.0.0.1:8300");

  const auto three = parse_config(
      R"({"node":"s1","address":"a:1","bootstrap":[{"node":"s1","address":"a:1"},)"
      R"({"node":"s2","address":"b:1"},{"node":"s3","address":"c:1","voter":false}]})");
  ASSERT_EQ(three.founders.servers.size(), 3U);
  EXPECT_TRUE(three.founders.servers[1].voter());
  EXPECT_FALSE(three.founders.servers[2].voter());
}

TEST(RaftConfig, SaysWhatItDoesNotTake) {
  const struct {
    const char* json;
    const char* says;
  } kCases[] = {
      {"[]", "config: must be a table"},
      {"{}", "config.node: must be the name of this server, and given"},
      {R"({"node":""})", "config.node: must be a text of 1 to 1024 bytes"},
      {R"({"node":"s","adress":"a:1"})", "config.adress: no such key; known are address, "},
      {R"({"node":"s","address":"a"})", "config.address: must be \"host:port\""},
      {R"({"node":"s","address":"a:0"})", "config.address: must be \"host:port\""},
      {R"({"node":"s","address":"a:70000"})", "config.address: must be \"host:port\""},
      {R"({"node":"s","heartbeat_timeout":5})", "config.heartbeat_timeout: must be a duration"},
      {R"({"node":"s","heartbeat_timeout":"2s"})", "config.election_timeout: must be at least"},
      {R"({"node":"s","lease_timeout":"2s"})", "config.lease_timeout: must be at most"},
      {R"({"node":"s","max_append_entries":0})", "config.max_append_entries: must be a number"},
      {R"({"node":"s","pre_vote":1})", "config.pre_vote: must be true or false"},
      {R"({"node":"s","bootstrap":"yes"})", "config.bootstrap: must be true, or a list"},
      {R"({"node":"s","bootstrap":[{"node":"t","address":"a:1"}]})",
       "config.bootstrap: must be a list with this node"},
      {R"({"node":"s","bootstrap":[{"node":"s","address":"127.0.0.1:8300","voter":false}]})",
       "config.bootstrap: must be a list without"}};

  for (const auto& one : kCases)
    EXPECT_EQ(refusal(one.json).substr(0, std::string_view{one.says}.size()), one.says) << one.json;
}

} // namespace
} // namespace switchyard::raft
