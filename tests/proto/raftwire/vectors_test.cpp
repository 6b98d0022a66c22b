#include "vectors.hpp"

#include <proto/msgpack/reader.hpp>
#include <proto/msgpack/value.hpp>
#include <proto/raftwire/answer.hpp>
#include <proto/raftwire/configuration.hpp>
#include <proto/raftwire/error.hpp>
#include <proto/raftwire/request.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace switchyard::raftwire {
namespace {

using switchyard::test::hex;
using test::Bytes;

constexpr std::string_view kAddress = "127.0.0.1:8300";
constexpr Header kOld{.form = HeaderForm::Old};
constexpr Header kNew{.id = "srvA", .address = kAddress};

const Configuration kTwo{{
    {Suffrage::Voter, "a", "127.0.0.1:1"},
    {Suffrage::Nonvoter, "b", "127.0.0.1:2"},
}};

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span{text});
}

/// What 1.7.3 wrote, as we would: signed numbers in unsigned formats, no AppendedAt.
void drop_times(msgpack::Value& value) {
  if (auto* map = std::get_if<msgpack::Value::Map>(&value.content)) {
    std::erase_if(*map, [](const msgpack::Pair& pair) {
      return pair.key == msgpack::Value{std::string{"AppendedAt"}};
    });
    for (auto& pair : *map)
      drop_times(pair.value);
  }
  if (auto* array = std::get_if<msgpack::Value::Array>(&value.content)) {
    for (auto& element : *array)
      drop_times(element);
  }
}

Bytes as_we_write(std::span<const std::byte> objects) {
  Bytes out;
  while (!objects.empty()) {
    auto decoded = msgpack::decode_value(objects).value().value();
    drop_times(decoded.value);
    msgpack::encode_value(decoded.value, out);
    objects = objects.subspan(decoded.size);
  }
  return out;
}

/// Holds `message`, which has the new header, against both versions' bytes.
template <class Message>
void expect_request(std::string_view name, Message message) {
  for (const auto& version : {"raft-1.1.2", "raft-1.7.3"}) {
    SCOPED_TRACE(version);
    const auto& theirs = test::vector(version, name).bytes;
    const bool old = version == std::string_view{"raft-1.1.2"};
    message.header = old ? kOld : kNew;

    Bytes ours;
    append_request(ours, message);
    if (old) {
      EXPECT_EQ(hex(ours), hex(theirs));
    } else {
      EXPECT_EQ(hex(std::span{ours}.subspan(1)), hex(as_we_write(std::span{theirs}.subspan(1))));
      EXPECT_EQ(ours[0], theirs[0]);
    }

    RequestExtent extent;
    for (std::size_t cut = 0; cut < theirs.size(); ++cut) {
      const auto frame = extent.scan(std::span{theirs}.first(cut));
      ASSERT_TRUE(frame && !*frame) << cut;
    }
    const auto frame = extent.scan(theirs);
    ASSERT_TRUE(frame && *frame);
    EXPECT_EQ((*frame)->size, theirs.size());
    const auto request = (*frame)->decode();
    ASSERT_TRUE(request) << request.error().message();
    ASSERT_TRUE(std::holds_alternative<Message>(*request));
    EXPECT_EQ(std::get<Message>(*request), message);
  }
}

template <class Message>
void expect_answer(
    std::string_view name,
    Message message,
    boost::system::result<Message> (*decode)(std::span<const std::byte>) noexcept,
    Header old_header = kOld,
    Header new_header = kNew) {
  for (const auto& version : {"raft-1.1.2", "raft-1.7.3"}) {
    SCOPED_TRACE(version);
    const auto& theirs = test::vector(version, name).bytes;
    message.header = version == std::string_view{"raft-1.1.2"} ? old_header : new_header;

    Bytes ours;
    append_answer(ours, message);
    EXPECT_EQ(hex(ours), hex(as_we_write(theirs)));

    AnswerExtent extent;
    for (std::size_t cut = 0; cut < theirs.size(); ++cut) {
      const auto frame = extent.scan(std::span{theirs}.first(cut));
      ASSERT_TRUE(frame && !*frame) << cut;
    }
    const auto frame = extent.scan(theirs);
    ASSERT_TRUE(frame && *frame);
    EXPECT_EQ((*frame)->error, "");
    const auto answer = decode((*frame)->object);
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_EQ(*answer, message);
  }
}

TEST(RaftwireVectors, AppendEntries) {
  const AppendEntriesRequest heartbeat{.header = {}, .term = 7, .leader = kAddress, .entries = {}};
  EXPECT_TRUE(heartbeat.heartbeat());
  expect_request("req-heartbeat", heartbeat);

  AppendEntriesRequest two{
      .header = {},
      .term = 7,
      .leader = kAddress,
      .previous_index = 300,
      .previous_term = 6,
      .entries = {{301, 7, EntryType::Command, "hello", {}}, {302, 7, EntryType::Noop, {}, {}}},
      .commit_index = 299};
  EXPECT_FALSE(two.heartbeat());
  expect_request("req-append-2", two);

  const std::string data(40, 'd');
  expect_request(
      "req-append-ext",
      AppendEntriesRequest{
          .header = {},
          .term = 7,
          .leader = kAddress,
          .previous_index = 1,
          .previous_term = 1,
          .entries = {{2, 7, EntryType::Command, data, "\x01\x02\x03"}},
          .commit_index = 1});

  expect_request(
      "req-append-commit",
      AppendEntriesRequest{
          .header = {},
          .term = 7,
          .leader = kAddress,
          .previous_index = 300,
          .previous_term = 6,
          .entries = {},
          .commit_index = 300});

  expect_answer(
      "resp-append-ok", AppendEntriesAnswer{{}, 7, 302, true, false}, decode_append_entries_answer);
  expect_answer(
      "resp-append-gap",
      AppendEntriesAnswer{{}, 7, 250, false, true},
      decode_append_entries_answer);
}

TEST(RaftwireVectors, RequestVote) {
  RequestVoteRequest vote{{}, 8, kAddress, 302, 7, false};
  expect_request("req-vote", vote);
  vote.leadership_transfer = true;
  expect_request("req-vote-transfer", vote);
  expect_answer("resp-vote-granted", RequestVoteAnswer{{}, 8, true}, decode_request_vote_answer);
}

TEST(RaftwireVectors, PreVote) {
  const auto& request = test::vector("raft-1.7.3", "req-prevote").bytes;
  const PreVoteRequest expected{kNew, 8, 302, 7};
  const auto frame = RequestExtent{}.scan(request);
  ASSERT_TRUE(frame && *frame);
  EXPECT_EQ(std::get<PreVoteRequest>((*frame)->decode().value()), expected);
  Bytes ours;
  append_request(ours, expected);
  EXPECT_EQ(hex(ours), hex(request));

  const auto& answer = test::vector("raft-1.7.3", "resp-prevote").bytes;
  const PreVoteAnswer granted{kNew, 8, true};
  const auto answer_frame = AnswerExtent{}.scan(answer);
  ASSERT_TRUE(answer_frame && *answer_frame);
  EXPECT_EQ(decode_pre_vote_answer((*answer_frame)->object).value(), granted);
  ours.clear();
  append_answer(ours, granted);
  EXPECT_EQ(hex(ours), hex(answer));
}

TEST(RaftwireVectors, InstallSnapshot) {
  const auto configuration = encode_configuration(kTwo);
  const auto peers = encode_peers({{{Suffrage::Voter, "127.0.0.1:1", "127.0.0.1:1"}}});
  expect_request(
      "req-snapshot",
      InstallSnapshotRequest{
          .header = {},
          .term = 8,
          .leader = kAddress,
          .last_index = 302,
          .last_term = 7,
          .peers = peers,
          .configuration = configuration,
          .configuration_index = 1,
          .size = 70000});
  expect_answer(
      "resp-snapshot-ok",
      InstallSnapshotAnswer{{}, 8, true},
      decode_install_snapshot_answer,
      Header{.version = 0, .form = HeaderForm::Old},
      Header{.version = 0});
}

TEST(RaftwireVectors, TimeoutNow) {
  expect_request("req-timeoutnow", TimeoutNowRequest{});
  expect_answer(
      "resp-timeoutnow",
      TimeoutNowAnswer{},
      decode_timeout_now_answer,
      Header{.version = 0, .form = HeaderForm::Old},
      Header{.version = 0});
}

TEST(RaftwireVectors, ErrorWithoutAnswer) {
  for (const auto& version : {"raft-1.1.2", "raft-1.7.3"}) {
    const auto& theirs = test::vector(version, "resp-error").bytes;
    Bytes ours;
    append_error(ours, kUnsupportedVersion);
    EXPECT_EQ(hex(ours), hex(theirs));
    const auto frame = AnswerExtent{}.scan(theirs);
    ASSERT_TRUE(frame && *frame);
    EXPECT_EQ((*frame)->error, kUnsupportedVersion);
    EXPECT_EQ(decode_append_entries_answer((*frame)->object).value().success, false);
  }
}

TEST(RaftwireVectors, Configurations) {
  for (const auto& version : {"raft-1.1.2", "raft-1.7.3"}) {
    const auto& two = test::vector(version, "configuration").bytes;
    EXPECT_EQ(decode_configuration(two).value(), kTwo);
    EXPECT_EQ(hex(bytes_of(encode_configuration(kTwo))), hex(two));

    const auto& none = test::vector(version, "configuration-0").bytes;
    EXPECT_EQ(decode_configuration(none).value(), Configuration{});
    EXPECT_EQ(hex(bytes_of(encode_configuration({}))), hex(none));

    const Configuration legacy{{
        {Suffrage::Voter, "127.0.0.1:1", "127.0.0.1:1"},
        {Suffrage::Voter, "127.0.0.1:2", "127.0.0.1:2"},
    }};
    const auto& peers = test::vector(version, "peers-legacy").bytes;
    EXPECT_EQ(decode_peers(peers).value(), legacy);
    EXPECT_EQ(hex(bytes_of(encode_peers(legacy))), hex(peers));
  }
}

TEST(RaftwireVectors, TimesAreSkippedWhateverTheirType) {
  for (const auto& name : {"log-appendedat", "log-appendedat-new"}) {
    const auto entry = decode_entry(test::vector("raft-1.7.3", name).bytes);
    ASSERT_TRUE(entry);
    EXPECT_EQ(*entry, (Entry{1, 2, EntryType::Command, "x", {}}));
  }
  auto extension = switchyard::test::wire("83 aa 'AppendedAt' d7 ff 00 00 00 00 00 00 00 00"
                                          "a5 'Index' 01 a4 'Term' 02");
  EXPECT_EQ(decode_entry(extension).value(), (Entry{1, 2, EntryType::Command, {}, {}}));
}

/// Numbers and lengths: the note above each begins with the value.
TEST(RaftwireVectors, NumbersAndLengths) {
  int seen = 0;
  for (const auto& [version, name, note, bytes] : test::vectors()) {
    if (name != "uint" && name != "int" && name != "bytes-header" && name != "array-header") {
      continue;
    }
    SCOPED_TRACE(version + ' ' + name + ' ' + note);
    ++seen;
    Bytes ours;
    msgpack::Writer writer{ours};
    msgpack::Reader reader{bytes};
    if (name == "uint") {
      EXPECT_EQ(reader.unsigned_integer(), std::stoull(note));
      writer.unsigned_integer(std::stoull(note));
    } else if (name == "int") {
      EXPECT_EQ(reader.signed_integer(), std::stoll(note));
      if (version == "raft-1.7.3") continue; // written in signed formats
      writer.signed_integer(std::stoll(note));
    } else if (name == "bytes-header") {
      writer.string(std::string(std::stoul(note), 'x'));
      ours.resize(ours.size() - std::stoul(note));
    } else {
      writer.array(static_cast<std::uint32_t>(std::stoul(note)));
    }
    EXPECT_EQ(hex(ours), hex(bytes));
  }
  EXPECT_EQ(seen, 68);
}

/// What both versions sent and answered when they were asked by hand.
TEST(RaftwireDialogue, IsReadToItsEnd) {
  EXPECT_EQ(test::dialogue().size(), 2 * 33U);
  for (const auto& turn : test::dialogue()) {
    SCOPED_TRACE(turn.version + ": " + turn.note);
    std::span<const std::byte> rest{turn.request};
    std::size_t requests = 0;
    while (!rest.empty()) {
      const auto frame = RequestExtent{}.scan(rest);
      if (!frame) {
        EXPECT_TRUE(turn.closed);
        EXPECT_EQ(frame.error(), Error::UnknownRequest);
        break;
      }
      ASSERT_TRUE(*frame);
      const auto request = (*frame)->decode();
      ASSERT_TRUE(request) << request.error().message();
      rest = rest.subspan((*frame)->size);
      ++requests;
      if (const auto* snapshot = std::get_if<InstallSnapshotRequest>(&*request)) {
        ASSERT_LE(static_cast<std::size_t>(snapshot->size), rest.size());
        rest = rest.subspan(static_cast<std::size_t>(snapshot->size));
      }
    }
    if (turn.answer.empty()) continue;

    rest = turn.answer;
    for (std::size_t i = 0; i < requests; ++i) {
      const auto frame = AnswerExtent{}.scan(rest);
      ASSERT_TRUE(frame && *frame);
      rest = rest.subspan((*frame)->size);
    }
    EXPECT_TRUE(rest.empty());
  }
}

} // namespace
} // namespace switchyard::raftwire
