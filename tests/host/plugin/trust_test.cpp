// What the operator wants of a plugin's bytes: a pin, a signature. The vector is RFC 8032's.
#include <host/plugin/staging.hpp>
#include <host/plugin/trust.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <tests/host/broken_plugins/yard.hpp>

#include <cstring>
#include <span>

namespace switchyard::host {
namespace {

// RFC 8032, 7.1, TEST 3 (two bytes), and a key of another kind (P-256), in PEM as OpenSSL writes
// it.
constexpr const char* kPublic = R"(-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA/FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU=
-----END PUBLIC KEY-----
)";
constexpr const char* kPrivate = R"(-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIMWqjfQ/n4N77bdELzHct7Fm04U1B28JS4XOOi4LRFj3
-----END PRIVATE KEY-----
)";
constexpr const char* kOtherPublic = R"(-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----
)"; // of TEST 1
constexpr const char* kEllipticPublic = R"(-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt
6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==
-----END PUBLIC KEY-----
)"; // the base point

const std::string kBytes{"\xaf\x82", 2};
const std::string kDigest =
    "9e8b9c3b0ce1bb0d3de51f3b9a7a4ab1"; // only compared, never computed here

class Trust : public testing::Test {
protected:
  std::string file(const char* name, const std::string& contents) const {
    const auto path = yard.plugin_dir() / name;
    write_file(path, contents);
    return path;
  }

  [[nodiscard]] std::string
  judged(const std::string& signature, const TrustTerms& terms, const std::string& bytes) const {
    const auto done =
        judge_trust("x", {"/x.so", std::as_bytes(std::span{bytes}), kDigest, signature}, terms);
    return done ? "" : done.error().text;
  }

  Yard yard;
};

TEST_F(Trust, SignsAsTheStandardHasIt) {
  const auto made = sign(std::as_bytes(std::span{kBytes}), file("key.pem", kPrivate));
  ASSERT_TRUE(made) << made.error().clause;
  constexpr unsigned char kBegin[] = {0x62, 0x91, 0xd6, 0x57, 0xde, 0xec, 0x24, 0x02};
  EXPECT_EQ(made->size(), kSignatureSize);
  EXPECT_EQ(std::memcmp(made->data(), kBegin, sizeof kBegin), 0);
}

TEST_F(Trust, Table) {
  const auto key = file("key.pem", kPublic);
  const auto other = file("other.pem", kOtherPublic);
  const auto good = *sign(std::as_bytes(std::span{kBytes}), file("private.pem", kPrivate));
  auto bad = good;
  bad[40] = static_cast<char>(bad[40] ^ 1);
  const auto elliptic = file("elliptic.pem", kEllipticPublic);
  const auto text = file("text.pem", "no key");
  const auto open_to_all = file("open.pem", kPublic);
  ASSERT_EQ(::chmod(open_to_all.c_str(), 0666), 0);
  const std::string pipe = yard.plugin_dir() / "pipe.pem";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const std::string pin(64, 'a');

  const struct Row {
    const char* name;
    std::string signature;
    TrustTerms terms;
    std::string bytes;
    std::string sentence; ///< behind "plugin x: "
  } rows[] = {
      {"no terms", "", {}, kBytes, ""},
      {"pinned", "", {kDigest, "p:1", {}}, kBytes, ""},
      {"pinned otherwise",
       "",
       {pin, "p:1", {}},
       kBytes,
       "/x.so has sha256 " + kDigest + ", but at p:1 sha256 says " + pin +
           ": install the file that is meant, or correct that"},
      {"signed", good, {"", "", {key}}, kBytes, ""},
      {"signed by one of them", good, {"", "", {other, key}}, kBytes, ""},
      {"signed and pinned otherwise",
       good,
       {pin, "p:1", {key}},
       kBytes,
       "/x.so has sha256 " + kDigest + ", but at p:1 sha256 says " + pin +
           ": install the file that is meant, or correct that"},
      {"unsigned",
       "",
       {"", "", {key}},
       kBytes,
       "/x.so is not signed, and host.trusted_keys asks for that: put its signature at /x.so.sig"},
      {"cut off",
       good.substr(0, 63),
       {"", "", {key}},
       kBytes,
       "/x.so.sig is no Ed25519 signature: it has 63 bytes and not 64"},
      {"longer",
       good + "\n",
       {"", "", {key}},
       kBytes,
       "/x.so.sig is no Ed25519 signature: it has 65 bytes and not 64"},
      {"another signature",
       bad,
       {"", "", {key}},
       kBytes,
       "/x.so is not what any key of host.trusted_keys has signed: it has changed since, or "
       "another "
       "key signed it"},
      {"other bytes",
       good,
       {"", "", {key}},
       kBytes + "!",
       "/x.so is not what any key of host.trusted_keys has signed: it has changed since, or "
       "another "
       "key signed it"},
      {"another key",
       good,
       {"", "", {other}},
       kBytes,
       "/x.so is not what any key of host.trusted_keys has signed: it has changed since, or "
       "another "
       "key signed it"},
      {"no such key",
       good,
       {"", "", {"/none.pem"}},
       kBytes,
       "key /none.pem of host.trusted_keys cannot be used: No such file or directory"},
      {"a pipe that nobody writes into",
       good,
       {"", "", {pipe}},
       kBytes,
       "key " + pipe + " of host.trusted_keys cannot be used: it is no regular file"},
      {"a key that others can write",
       good,
       {"", "", {open_to_all}},
       kBytes,
       "key " + open_to_all +
           " of host.trusted_keys cannot be used: others than its owner can write it: chmod go-w"},
      {"no key in it",
       good,
       {"", "", {text}},
       kBytes,
       "key " + text + " of host.trusted_keys cannot be used: it holds no public key in PEM"},
      {"a key of another kind",
       good,
       {"", "", {elliptic}},
       kBytes,
       "key " + elliptic + " of host.trusted_keys cannot be used: it is no Ed25519 key"}};

  for (const auto& row : rows) {
    const auto expected = row.sentence.empty() ? "" : "plugin x: " + row.sentence;
    EXPECT_EQ(judged(row.signature, row.terms, row.bytes), expected) << row.name;
  }
}

// All the way from plugins.toml: what is judged is the copy that runs.
TEST_F(Trust, IsAskedOfThePluginsOfAServer) {
  const auto plugin = yard.put("one");
  const auto key = file("key.pem", kPublic);
  const auto whole = read_file(plugin);
  auto& config = yard.enable("one");
  config.sha256 = *sha256_of(plugin);
  config.trusted_keys = {key};
  write_file(
      plugin.string() + ".sig",
      *sign(std::as_bytes(std::span{whole}), file("private.pem", kPrivate)));
  {
    PluginSet set{yard.config, yard.services, {}};
    EXPECT_THAT(texts(set.start()), testing::IsEmpty());
  }
  auto changed = read_file(plugin);
  changed.back() = static_cast<char>(changed.back() ^ 1);
  write_file(plugin, changed);
  config.sha256.clear();
  PluginSet set{yard.config, yard.services, {}};
  EXPECT_THAT(
      texts(set.start()),
      testing::ElementsAre(
          "plugin one: " + plugin.string() +
          " is not what any key of host.trusted_keys has signed: it has changed since, or another "
          "key "
          "signed it"));
}

TEST_F(Trust, FollowsNoLinkOutOfTheDirectory) {
  const auto elsewhere = yard.plugin_dir() / "elsewhere";
  std::filesystem::create_directory(elsewhere);
  std::filesystem::rename(yard.put("one"), elsewhere / "one.so");
  std::filesystem::create_symlink(elsewhere / "one.so", yard.plugin_dir() / "one.so");
  auto directory = StagingDirectory::open(yard.data_dir());
  const auto named = (yard.plugin_dir() / "one.so").string();
  const auto staged = directory->stage({"one", named, "plugins.toml:1"});
  ASSERT_FALSE(staged);
  EXPECT_EQ(
      staged.error().text,
      "plugin one: " + named + " is a symbolic link out of its directory, to " +
          (elsewhere / "one.so").string() + ": put the file itself there, or name the other path");

  // Within it, as packages link one version.
  yard.put("two");
  std::filesystem::create_symlink("two.so", yard.plugin_dir() / "now.so");
  EXPECT_TRUE(directory->stage({"two", yard.plugin_dir() / "now.so", "plugins.toml:1"}));
}

} // namespace
} // namespace switchyard::host
