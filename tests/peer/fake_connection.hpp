#pragma once

#include <switchyard/connection.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace switchyard::peer {

class FakeLoop;

extern const sy_connection_api kFakeConnectionApi;

/// What describe() says of the peer of every connection, the second only under TLS.
inline constexpr const char* kFakeRemote = "192.0.2.1:4711";
inline constexpr const char* kFakePeerName = "client.example";

/// A sy_connection over a real socket, on one FakeLoop.
struct FakeConnection : sy_connection {
  struct Read {
    void* buffer; // null: wait_readable
    std::size_t capacity;
    sy_io_done done;
    void* context;
  };

  struct Write {
    std::vector<sy_bytes> left;
    std::size_t written;
    sy_io_done done;
    void* context;
  };

  FakeLoop* loop;
  std::uint64_t id;
  int socket;
  bool tls;
  std::optional<Read> read;
  std::optional<Write> write;
  bool cancelled = false;
};

/// Writes what fits now.
sy_status write_some(int socket, const sy_bytes* slices, std::size_t count, std::size_t& written);

} // namespace switchyard::peer
