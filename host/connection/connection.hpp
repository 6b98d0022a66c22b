#pragma once

#include <switchyard/connection.h>

#include <host/connection/close_reason.hpp>
#include <host/connection/plugin_place.hpp>
#include <host/limit/client_limit.hpp>
#include <host/loop/loop.hpp>
#include <host/tls/session.hpp>

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/intrusive/list.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/system/result.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace switchyard::host {

class ConnectionOwner;

/// One connection, accepted, dialled or adopted: a stream of clear bytes, whatever the wire
/// carries, and our side of sy_connection. It lives on one loop and every call is made there.
/// Reference-counted, because the reactor may still hold a wait when close() returns.
class Connection final : public sy_connection {
  using Hook = boost::intrusive::list_member_hook<
      boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
  Hook live_hook_;
  Hook opening_hook_;

public:
  using Ptr = boost::intrusive_ptr<Connection>;
  using Done = sy_io_done;

  /// The connections of a loop; each takes itself out.
  using Live = boost::intrusive::list<
      Connection,
      boost::intrusive::member_hook<Connection, Hook, &Connection::live_hook_>,
      boost::intrusive::constant_time_size<false>>;

  /// Those whose protocol is not known yet, in the order of their deadlines.
  using Opening = boost::intrusive::list<
      Connection,
      boost::intrusive::member_hook<Connection, Hook, &Connection::opening_hook_>,
      boost::intrusive::constant_time_size<false>>;

  /// Takes over `socket`, a connected stream socket that is non-blocking, for `owner`, who outlives
  /// it. Fails, with the socket closed, when the kernel cannot watch one more (epoll_ctl(2):
  /// ENOSPC, ENOMEM). `id`: the number that another process knows it by; 0: a new one.
  static boost::system::result<Connection*>
  open(ConnectionOwner& owner, int socket, ClientLimit::Slot slot, std::uint64_t id = 0);

  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // The operations of sy_connection_api; its comments hold.
  sy_status try_read(void* buffer, std::size_t capacity, std::size_t& transferred);
  sy_status wait_readable(Done done, void* context);
  sy_status read_some(void* buffer, std::size_t capacity, Done done, void* context);
  sy_status try_write(const sy_bytes* slices, std::size_t count, std::size_t& transferred);
  sy_status write(const sy_bytes* slices, std::size_t count, Done done, void* context);
  sy_status shutdown_write();
  void cancel();
  void describe(sy_connection_info& info) const;
  sy_status detach(sy_descriptor& descriptor);

  /// Undoes detach() when nobody has taken the descriptor, and closes it. What is left is close().
  void take_back(const sy_descriptor& descriptor);

  /// What a connection has with the process that it came to.
  struct Holdings {
    ClientLimit::Slot slot;
    PluginPlace place;
  };

  /// Ends it here without a word to the peer: another process has a duplicate of its socket. It
  /// counts as open until the owner hears ended_elsewhere().
  [[nodiscard]] Holdings go_elsewhere();

  /// Ends the connection, counts it under `reason` and gives up the owner's reference.
  void close(CloseReason reason);

  /// Completes, with SY_OK and 0, when the socket takes bytes: the write-side twin of
  /// wait_readable.
  sy_status wait_writable(Done done, void* context);

  /// The next bytes, left in place; never 0 of them. Clear connections only; otherwise as try_read.
  sy_status peek(void* buffer, std::size_t capacity, std::size_t& transferred);

  /// Says that the other end is in this process: work with it goes on in another thread.
  void set_within_process() noexcept { within_process_ = true; }

  /// From here on the wire is TLS.
  void secure(std::unique_ptr<TlsSession> tls) { tls_ = std::move(tls); }

  [[nodiscard]] TlsSession* tls() noexcept { return tls_.get(); }

  /// What routed it (a name with the life of the configuration) and the plugin it goes to.
  void route_to(PluginPlace place, std::string_view protocol, std::int32_t tag);

  /// Says that the plugin did not take it after all.
  void leave_plugin() noexcept { place_.reset(); }

  [[nodiscard]] bool is_of(const InstanceServices& plugin) const noexcept {
    return place_.get() == &plugin;
  }

  void set_listener(std::string_view name) { listener_ = name; }

  /// What the process that has accepted a connection says of it where it cannot be asked here.
  struct Credentials {
    std::string alpn;
    std::string server_name;
    std::string peer_names;
    std::string remote;
    std::string local;
  };

  /// Says that the wire is TLS, which another process carries to this end of a socket pair.
  void secured_elsewhere(Credentials credentials) {
    credentials_ = std::make_unique<const Credentials>(std::move(credentials));
  }

  /// Says that the deadline of the opening has passed: what is in flight, and whatever is begun
  /// from now on, finishes with SY_TIMED_OUT.
  void expire();

  [[nodiscard]] bool expired() const noexcept { return expired_; }

  [[nodiscard]] Loop::Clock::time_point opening_deadline() const noexcept { return deadline_; }

  void set_opening_deadline(Loop::Clock::time_point deadline) noexcept { deadline_ = deadline; }

  void leave_opening() noexcept { opening_hook_.unlink(); }

  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }

  [[nodiscard]] int socket() noexcept { return descriptor_.native_handle(); }

private:
  using Descriptor = boost::asio::posix::basic_stream_descriptor<Loop::Executor>;
  struct Write;

  friend void intrusive_ptr_add_ref(Connection* connection) noexcept { ++connection->references_; }

  friend void intrusive_ptr_release(Connection* connection) noexcept {
    if (--connection->references_ == 0) delete connection;
  }

  Connection(ConnectionOwner& owner, ClientLimit::Slot slot, std::uint64_t id);

  void wait_to_read();
  void wait_to_write();
  void readable();
  void writable();
  void finish_read(sy_status status, std::size_t transferred);
  void finish_write(sy_status status, std::size_t transferred);
  sy_status write_tls(const sy_bytes* slices, std::size_t count, std::size_t& transferred);
  sy_status write_clear(const sy_bytes* slices, std::size_t count, std::size_t& transferred);

  ConnectionOwner& owner_;
  Descriptor descriptor_;
  std::uint32_t references_ = 1; // the plugin's or the serving coroutine's; close() gives it up
  bool closed_ = false;
  bool expired_ = false;
  bool read_cancelled_ = false;
  bool tls_read_wants_write_ = false;
  bool within_process_ = false;
  std::uint32_t tls_retry_size_ = 0; // what OpenSSL must be offered again
  std::int16_t tag_ = -1;
  const std::uint64_t id_;
  std::unique_ptr<TlsSession> tls_;
  ClientLimit::Slot slot_;
  PluginPlace place_;
  std::unique_ptr<const Credentials> credentials_; // null: they are those of this process

  // The read-side operation in flight; done is null when there is none.
  Done read_done_ = nullptr;
  void* read_context_ = nullptr;
  void* read_buffer_ = nullptr; // null: wait_readable
  std::size_t read_capacity_ = 0;

  std::unique_ptr<Write> write_;
  std::string_view protocol_;
  std::string_view listener_;
  Loop::Clock::time_point deadline_;
};

} // namespace switchyard::host
