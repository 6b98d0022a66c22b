#include <proto/sniff/client_hello.hpp>
#include <proto/sniff/error.hpp>

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <tests/proto/wire.hpp>

#include <memory>

namespace switchyard::sniff {
namespace {

using test::Bytes;
using test::wire;

using Parsed = boost::system::result<std::optional<ClientHello>>;

void append(Bytes& to, const Bytes& bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

/// `content` behind its length in `size` bytes.
Bytes counted(std::size_t size, const Bytes& content) {
  Bytes bytes;
  while (size-- != 0)
    bytes.push_back(static_cast<std::byte>(content.size() >> (8 * size)));
  append(bytes, content);
  return bytes;
}

/// A handshake message of `type` in records of at most `fragment` bytes.
Bytes records(const Bytes& body, std::size_t fragment = 16384, std::string_view type = "01") {
  auto message = wire(type);
  append(message, counted(3, body));
  Bytes bytes;
  for (std::size_t at = 0; at < message.size(); at += fragment) {
    const auto begin = message.begin() + static_cast<std::ptrdiff_t>(at);
    const auto size = std::min(fragment, message.size() - at);
    append(bytes, wire("16 03 01"));
    append(bytes, counted(2, {begin, begin + static_cast<std::ptrdiff_t>(size)}));
  }
  return bytes;
}

/// The body of a ClientHello with these extensions, or without any if there are none.
Bytes hello(std::initializer_list<Bytes> extensions) {
  auto body = wire("03 03");
  body.resize(body.size() + 32, std::byte{0x5a});
  append(body, wire("00 00 02 13 01 01 00"));
  Bytes all;
  for (const auto& extension : extensions)
    append(all, extension);
  if (extensions.size() != 0) append(body, counted(2, all));
  return body;
}

Bytes extension(std::string_view type, const Bytes& content) {
  auto bytes = wire(type);
  append(bytes, counted(2, content));
  return bytes;
}

Bytes server_name(std::string_view name) {
  auto entry = wire("00");
  Bytes text;
  for (const auto letter : name)
    text.push_back(static_cast<std::byte>(letter));
  append(entry, counted(2, text));
  return extension("00 00", counted(2, entry));
}

const auto kAlpn = extension("00 10", wire("00 0f 02 'h2' 0b 'consul/raft'"));
const auto kGrease = extension("0a 0a", {});

TEST(ClientHello, IsReadInAnySplitAndOverAnyRecords) {
  const struct {
    std::string_view name;
    Bytes body;
    ClientHello hello;
  } cases[] = {
      {"no extensions at all", hello({}), {}},
      {"no extension we want", hello({kGrease}), {}},
      {"server name", hello({server_name("server.dc1.consul")}), {"server.dc1.consul", {}}},
      {"alpn", hello({kAlpn}), {"", {"h2", "consul/raft"}}},
      {"both, between others",
       hello({kGrease, kAlpn, extension("00 17", {}), server_name("a.b")}),
       {"a.b", {"h2", "consul/raft"}}},
      {"a name of another type",
       hello({extension("00 00", wire("00 0b 01 00 02 'xx' 00 00 03 'a.b'"))}),
       {"a.b", {}}},
  };

  for (const auto& c : cases) {
    for (const std::size_t fragment : {1U, 3U, 40U, 16384U}) {
      SCOPED_TRACE(testing::Message() << c.name << " in records of " << fragment);
      auto bytes = records(c.body, fragment);
      for (std::size_t size = 0; size < bytes.size(); ++size) {
        const auto part = parse_client_hello(std::span{bytes}.first(size));
        ASSERT_TRUE(part);
        EXPECT_EQ(*part, std::nullopt) << size;
      }
      append(bytes, wire("17 03 03 00 01 00"));
      const auto parsed = parse_client_hello(bytes);
      ASSERT_TRUE(parsed);
      EXPECT_EQ(*parsed, c.hello);
    }
  }
}

TEST(ClientHello, IsRefusedAsSoonAsItIsClear) {
  const auto cut = [](Bytes body, std::size_t bytes) {
    body.erase(body.end() - static_cast<std::ptrdiff_t>(bytes), body.end());
    return body;
  };
  const auto followed = [](Bytes body) {
    body.push_back(std::byte{0});
    return body;
  };

  const struct {
    std::string_view name;
    Bytes bytes;
    Error error;
  } cases[] = {
      {"a tag", wire("00"), Error::NotHandshake},
      {"HTTP", wire("'GET / HTTP/1.1'"), Error::NotHandshake},
      {"an alert record", wire("15 03 01 00 02 02 28"), Error::NotHandshake},
      {"SSL 2", wire("16 02"), Error::NotHandshake},
      {"an empty fragment", wire("16 03 01 00 00"), Error::Malformed},
      {"a fragment above 2^14", wire("16 03 01 40 01"), Error::Malformed},
      {"a ServerHello", wire("16 03 01 00 50 02"), Error::NotClientHello},
      {"another record type between fragments", wire("16 03 01 00 01 01 17"), Error::NotHandshake},
      {"a message of 16 MiB", wire("16 03 01 00 50 01 ff ff ff"), Error::TooLarge},
      {"ended within the random", records(cut(hello({}), 10)), Error::Malformed},
      {"ended within the extensions", records(cut(hello({kAlpn}), 1)), Error::Malformed},
      {"a byte behind the extensions", records(followed(hello({kAlpn}))), Error::Malformed},
      {"two server names", records(hello({server_name("a"), server_name("b")})), Error::Malformed},
      {"two host names in one",
       records(hello({extension("00 00", wire("00 08 00 00 01 'a' 00 00 01 'b'"))})),
       Error::Malformed},
      {"two alpn lists", records(hello({kAlpn, kAlpn})), Error::Malformed},
      {"an empty server name", records(hello({server_name("")})), Error::Malformed},
      {"a zero byte in the name",
       records(hello({server_name(std::string_view{"a\0b", 3})})),
       Error::Malformed},
      {"an empty list of names",
       records(hello({extension("00 00", wire("00 00"))})),
       Error::Malformed},
      {"an empty alpn list", records(hello({extension("00 10", wire("00 00"))})), Error::Malformed},
      {"an empty alpn name",
       records(hello({extension("00 10", wire("00 01 00"))})),
       Error::Malformed},
      {"an alpn list shorter than its extension",
       records(hello({extension("00 10", wire("00 03 02 'h2' 00"))})),
       Error::Malformed},
  };

  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const auto parsed = parse_client_hello(c.bytes);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error(), c.error);
  }
}

TEST(ClientHello, EndsAtTheLimit) {
  const auto padded = [](std::size_t padding) {
    return records(hello({extension("00 15", Bytes(padding)), server_name("a.b")}));
  };
  const auto fixed = padded(0).size();
  EXPECT_EQ(parse_client_hello(padded(kClientHelloBytesMax - fixed)).value()->server_name, "a.b");
  EXPECT_EQ(parse_client_hello(padded(kClientHelloBytesMax - fixed + 1)).error(), Error::TooLarge);

  // Short messages that never end, because each record carries one byte.
  const auto crumbs = records(hello({extension("00 15", Bytes(4000))}), 1);
  EXPECT_EQ(
      parse_client_hello(std::span{crumbs}.first(kClientHelloBytesMax - 1)).value(), std::nullopt);
  EXPECT_EQ(parse_client_hello(crumbs).error(), Error::TooLarge);
}

struct Free {
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }

  void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
};

TEST(ClientHello, OfOpenSslIsUnderstood) {
  const std::unique_ptr<SSL_CTX, Free> context{SSL_CTX_new(TLS_client_method())};
  const std::unique_ptr<SSL, Free> client{SSL_new(context.get())};
  ASSERT_TRUE(client);
  SSL_set_bio(client.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  ASSERT_EQ(SSL_set_tlsext_host_name(client.get(), "node.server.dc1.consul"), 1);
  constexpr std::string_view kList = "\x10"
                                     "consul/rpc-multi";
  ASSERT_EQ(
      SSL_set_alpn_protos(
          client.get(),
          reinterpret_cast<const unsigned char*>(kList.data()),
          static_cast<unsigned>(kList.size())),
      0);
  ASSERT_EQ(SSL_connect(client.get()), -1);

  char* data = nullptr;
  const auto size = BIO_get_mem_data(SSL_get_wbio(client.get()), &data);
  const auto bytes = std::as_bytes(std::span{data, static_cast<std::size_t>(size)});
  EXPECT_EQ(
      parse_client_hello(bytes).value(),
      (ClientHello{"node.server.dc1.consul", {"consul/rpc-multi"}}));
}

} // namespace
} // namespace switchyard::sniff
