#include <proto/msgpack/error.hpp>
#include <proto/raftwire/answer.hpp>
#include <proto/raftwire/configuration.hpp>
#include <proto/raftwire/error.hpp>
#include <proto/raftwire/request.hpp>

#include <gtest/gtest.h>
#include <tests/proto/wire.hpp>

namespace switchyard::raftwire {
namespace {

using switchyard::test::wire;

/// A request that has an entry of those fields, appended after `previous` in term 7.
std::string append(std::string_view previous, std::string_view entries) {
  return "00 86 a4 'Term' 07 a6 'Leader' a1 'l' ac 'PrevLogEntry' " + std::string{previous} +
         " ab 'PrevLogTerm' 03 b1 'LeaderCommitIndex' 00 a7 'Entries' " + std::string{entries};
}

boost::system::result<Request> decode(std::string_view notation, const Limits& limits = {}) {
  static std::vector<std::byte> bytes; // what was decoded points into it
  bytes = wire(notation);
  const auto frame = RequestExtent{limits}.scan(bytes);
  if (!frame) return frame.error();
  if (!*frame) return Error::Incomplete;
  return (*frame)->decode(limits);
}

TEST(RaftwireRequest, ReadsWhatGoReads) {
  const struct {
    std::string_view name;
    std::string_view wire;
    Request request;
  } cases[] = {
      {"an empty map is all zeros", "01 80", RequestVoteRequest{{0, HeaderForm::Old, {}, {}}}},
      {"so is nil", "01 c0", RequestVoteRequest{{0, HeaderForm::Old, {}, {}}}},
      {"str8, bin and signed formats",
       "01 83 d9 04 'Term' d3 00 00 00 00 00 00 00 09 a9 'Candidate' c4 01 'c' "
       "af 'ProtocolVersion' d0 03",
       RequestVoteRequest{{3, HeaderForm::Old, {}, {}}, 9, "c", 0, 0, false}},
      {"unknown keys of any type",
       "01 84 a1 'x' 82 01 90 c3 cb 00 00 00 00 00 00 00 00 c7 02 05 'ab' 05 a4 'Term' 09 02 03",
       RequestVoteRequest{{0, HeaderForm::Old, {}, {}}, 9, {}, 0, 0, false}},
      {"the last of equal keys",
       "01 82 a4 'Term' 08 a4 'Term' 09",
       RequestVoteRequest{{0, HeaderForm::Old, {}, {}}, 9, {}, 0, 0, false}},
      {"a header of nils is of the new form",
       "03 83 a4 'Addr' c0 a2 'ID' c0 af 'ProtocolVersion' 03",
       TimeoutNowRequest{{3, HeaderForm::New, {}, {}}}},
      {"an address alone too",
       "03 82 a4 'Addr' a1 'a' af 'ProtocolVersion' 03",
       TimeoutNowRequest{{3, HeaderForm::New, {}, "a"}}},
      {"a snapshot without a version is of the first",
       "02 82 a4 'Term' 02 a4 'Size' cc 80",
       InstallSnapshotRequest{{0, HeaderForm::Old, {}, {}}, 0, 2, {}, 0, 0, {}, {}, 0, 128}},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const auto request = decode(c.wire);
    ASSERT_TRUE(request) << request.error().message();
    EXPECT_EQ(*request, c.request);
  }
}

TEST(RaftwireRequest, RefusesWhatNoNodeSends) {
  const auto too_deep = "01 81 a1 'x' " + [] {
    std::string nested;
    for (int i = 0; i < 16; ++i)
      nested += "91 ";
    return nested + "90";
  }();
  const std::string index_1 = "85 a5 'Index' 05 a4 'Term' 07 a4 'Type' 00 a4 'Data' c0 c0 c0";

  const struct {
    std::string_view name;
    std::string wire;
    boost::system::error_code error;
  } cases[] = {
      {"type 5", "05 80", Error::UnknownRequest},
      {"type 255", "ff 80", Error::UnknownRequest},
      {"an array", "01 90", msgpack::Error::WrongType},
      {"text for a number", "01 81 a4 'Term' a1 'x'", msgpack::Error::WrongType},
      {"a number for text", "01 81 a9 'Candidate' 05", msgpack::Error::WrongType},
      {"a number for the id", "03 81 a2 'ID' 05", msgpack::Error::WrongType},
      {"a negative term", "01 81 a4 'Term' ff", msgpack::Error::OutOfRange},
      {"a term of 2^63", "01 81 a4 'Term' cf 80 00 00 00 00 00 00 00", Error::NumberTooLarge},
      {"a pre-vote for a term of 2^64-1",
       "04 81 a4 'Term' cf ff ff ff ff ff ff ff ff",
       Error::NumberTooLarge},
      {"a last index of 2^63",
       "01 81 ac 'LastLogIndex' cf 80 00 00 00 00 00 00 00",
       Error::NumberTooLarge},
      {"a commit index of 2^63",
       "00 81 b1 'LeaderCommitIndex' cf 80 00 00 00 00 00 00 00",
       Error::NumberTooLarge},
      {"a snapshot of an index of 2^63",
       "02 81 ac 'LastLogIndex' cf 80 00 00 00 00 00 00 00",
       Error::NumberTooLarge},
      {"a snapshot of -1 bytes", "02 81 a4 'Size' ff", Error::NegativeSize},
      {"the reserved byte", "01 81 a1 'x' c1", msgpack::Error::Reserved},
      {"17 levels", too_deep, msgpack::Error::TooDeep},
      {"a string of 4 GiB", "01 81 a1 'x' db ff ff ff ff", msgpack::Error::TooLarge},
      {"an entry of type 6",
       append("04", "91 83 a5 'Index' 05 a4 'Term' 07 a4 'Type' 06"),
       Error::UnknownEntryType},
      {"an entry that is a number", append("04", "91 05"), msgpack::Error::WrongType},
      {"an entry without a term", append("04", "91 81 a5 'Index' 05"), Error::NumberTooLarge},
      {"a gap after PrevLogEntry", append("03", "91 " + index_1), Error::IndexGap},
      {"an entry again", append("04", "92 " + index_1 + index_1), Error::IndexGap},
      {"an entry of a later term than the request",
       append("04", "91 82 a5 'Index' 05 a4 'Term' 08"),
       Error::TermOrder},
      {"a term that falls",
       append("04", "92 82 a5 'Index' 05 a4 'Term' 05 82 a5 'Index' 06 a4 'Term' 04"),
       Error::TermOrder},
      {"a first entry older than the one before",
       append("04", "91 82 a5 'Index' 05 a4 'Term' 02"),
       Error::TermOrder},
      {"a previous term after the request's",
       "00 82 a4 'Term' 02 ab 'PrevLogTerm' 03",
       Error::TermOrder},
      {"a configuration that is text",
       append("04", "91 84 a5 'Index' 05 a4 'Term' 07 a4 'Type' 05 a4 'Data' a1 'x'"),
       msgpack::Error::WrongType},
      {"a configuration without a voter",
       append("04", "91 84 a5 'Index' 05 a4 'Term' 07 a4 'Type' 05 a4 'Data' a1 80"),
       Error::InvalidConfiguration},
      {"a peer list that is cut",
       append("04", "91 84 a5 'Index' 05 a4 'Term' 07 a4 'Type' 02 a4 'Data' a1 92"),
       Error::Incomplete},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const auto request = decode(c.wire);
    ASSERT_FALSE(request);
    EXPECT_EQ(request.error(), c.error) << request.error().message();
  }
}

TEST(RaftwireRequest, KeepsItsLimits) {
  const auto entry = [](int index) {
    return "82 a5 'Index' 0" + std::to_string(index) + " a4 'Term' 07 ";
  };
  const auto three = append("04", "93 " + entry(5) + entry(6) + entry(7));
  EXPECT_TRUE(decode(three, {.object = {}, .entries_max = 3}));
  EXPECT_EQ(decode(three, {.object = {}, .entries_max = 2}).error(), Error::TooManyEntries);

  const auto bytes = static_cast<std::uint32_t>(wire(three).size() - 1);
  EXPECT_TRUE(decode(three, {.object = {.bytes_max = bytes}}));
  EXPECT_EQ(decode(three, {.object = {.bytes_max = bytes - 1}}).error(), msgpack::Error::TooLarge);
}

TEST(RaftwireConfiguration, IsValidWhenItNamesEveryoneOnceAndAVoter) {
  const Server a{Suffrage::Voter, "a", "1"};

  const struct {
    std::string_view name;
    std::vector<Server> servers;
    bool valid;
  } cases[] = {
      {"nobody", {}, false},
      {"one voter", {a}, true},
      {"a nonvoter beside", {a, {Suffrage::Nonvoter, "b", "2"}}, true},
      {"no voter", {{Suffrage::Nonvoter, "a", "1"}, {Suffrage::Staging, "b", "2"}}, false},
      {"an id twice", {a, {Suffrage::Voter, "a", "2"}}, false},
      {"an address twice", {a, {Suffrage::Voter, "b", "1"}}, false},
      {"an empty id", {a, {Suffrage::Voter, "", "2"}}, false},
      {"an empty address", {a, {Suffrage::Voter, "b", ""}}, false},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ((Configuration{c.servers}.valid()), c.valid);
  }
}

TEST(RaftwireConfiguration, RefusesASuffrageThatDoesNotExist) {
  EXPECT_EQ(
      decode_configuration(wire("81 a7 'Servers' 91 81 a8 'Suffrage' 03")).error(),
      Error::InvalidConfiguration);
}

TEST(RaftwireAnswer, RefusesWhatIsNoAnswer) {
  EXPECT_EQ(AnswerExtent{}.scan(wire("05 80")).error(), msgpack::Error::WrongType);
  EXPECT_EQ(AnswerExtent{}.scan(wire("a0 c1")).error(), msgpack::Error::Reserved);
  EXPECT_EQ(
      decode_request_vote_answer(wire("81 a4 'Term' cf ff ff ff ff ff ff ff ff")).error(),
      Error::NumberTooLarge);
  EXPECT_EQ(
      decode_append_entries_answer(wire("81 a7 'LastLog' cf 80 00 00 00 00 00 00 00")).error(),
      Error::NumberTooLarge);
  EXPECT_EQ(decode_install_snapshot_answer(wire("a1 'x'")).error(), msgpack::Error::WrongType);
}

} // namespace
} // namespace switchyard::raftwire
