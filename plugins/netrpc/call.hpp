#pragma once

#include <switchyard/netrpc/endpoints.h>

#include <plugins/netrpc/endpoint_table.hpp>

#include <boost/intrusive/list.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace switchyard::netrpc {

class Conversation;
class Loop;

/// How an endpoint has answered.
enum class Verdict : std::uint8_t {
  Reply,  ///< with an object
  Fail,   ///< with an error text
  Reject, ///< with an error text, and the stream ends
  Drop,   ///< not at all, and the stream ends
};

struct Answer {
  Verdict verdict;
  sy_bytes content; ///< object or text
};

/// One request from the wire on its way through its endpoint. It is answered on any thread; what
/// becomes of the answer is decided on its loop, where it ends.
class Call final : public sy_netrpc_call,
                   public boost::intrusive::list_base_hook<
                       boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
  /// `conversation` waits for the answer; it calls orphan() when it goes first.
  Call(Loop& loop, Conversation& conversation, std::uint64_t seq, EndpointUse endpoint);
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  /// Gives the request to the endpoint. True when that has answered from inside: then the call is
  /// gone. Otherwise it stays until it is answered, `method` being remembered. [loop]
  bool run(std::string_view method, sy_bytes body);

  /// Tells the endpoint, once, that the answer is wanted soon. [loop]
  void cancel();

  /// Nobody waits any more; the call still ends when it is answered. [loop]
  void orphan();

  [[nodiscard]] const sy_registration* registration() const noexcept {
    return endpoint_.registration();
  }

  [[nodiscard]] std::uint64_t seq() const noexcept { return seq_; }

  [[nodiscard]] const std::string& method() const noexcept { return method_; }

private:
  static const sy_netrpc_call_api kApi;

  void answer(Verdict verdict, sy_bytes content);
  static void answered(void* self);

  Loop& loop_;
  Conversation* conversation_; ///< null for an orphan; [loop]
  const std::uint64_t seq_;
  EndpointUse endpoint_;
  const std::string remote_;
  std::string method_;
  std::string_view running_method_; ///< while run() is on the stack
  bool cancelled_ = false;

  // Set by whoever answers, read on the loop after the detour.
  Verdict verdict_ = Verdict::Drop;
  std::vector<std::byte> content_;
};

} // namespace switchyard::netrpc
