#pragma once

#include <switchyard/journal.h>

#include <boost/intrusive/list.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace switchyard::grpc {

/// A call as far as a drain is concerned: something that can be asked to end.
class LiveCall : public boost::intrusive::list_base_hook<
                     boost::intrusive::link_mode<boost::intrusive::safe_link>> {
public:
  /// True when the call is to be asked now, and then stays until ask() has returned. Must neither
  /// block nor call anybody.
  [[nodiscard]] virtual bool begin_to_ask() noexcept = 0;

  /// Tells the service that the end is wanted soon.
  virtual void ask() noexcept = 0;

  [[nodiscard]] virtual bool is_unary() const noexcept = 0;

  /// Whose method it calls; null: the plugin's own.
  [[nodiscard]] virtual const sy_registration* registration() const noexcept = 0;

protected:
  ~LiveCall() = default;
};

/// The calls that services have begun and that have not ended. Any thread.
class LiveCalls {
public:
  void add(LiveCall& call);
  void remove(LiveCall& call) noexcept;

  /// Asks every stream to end soon, and every unary call too if `unary`. A unary call ends by
  /// itself in most cases; a stream may live for as long as its client.
  void ask(bool unary);

  /// The same for calls through `registration` only.
  void ask(bool unary, const sy_registration* registration);

private:
  template <class Matches>
  void ask_if(Matches matches);

  struct Shard {
    std::mutex mutex;
    boost::intrusive::list<LiveCall, boost::intrusive::constant_time_size<false>> calls;
  };

  static constexpr std::size_t kShards = 16;

  [[nodiscard]] Shard& shard(const LiveCall& call) noexcept {
    return shards_[(reinterpret_cast<std::uintptr_t>(&call) >> 6) % kShards];
  }

  std::array<Shard, kShards> shards_;
};

} // namespace switchyard::grpc
