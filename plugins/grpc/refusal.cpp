#include <plugins/grpc/refusal.hpp>

#include <boost/assert.hpp>

#include <array>

namespace switchyard::grpc {

void Refusal::start(Pending& pending, Incoming incoming, const std::string& why) {
  auto* const refusal = new Refusal{pending, std::move(incoming)};
  pending.begin();
  auto text = grpc_slice_from_copied_buffer(why.data(), why.size());
  std::array<grpc_op, 3> operations{};
  operations[0].op = GRPC_OP_SEND_INITIAL_METADATA;
  operations[1].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
  operations[1].data.send_status_from_server.status = GRPC_STATUS_UNIMPLEMENTED;
  operations[1].data.send_status_from_server.status_details = &text;
  operations[2].op = GRPC_OP_RECV_CLOSE_ON_SERVER;
  operations[2].data.recv_close_on_server.cancelled = &refusal->cancelled_;
  const auto error = grpc_call_start_batch(
      refusal->incoming_.call(),
      operations.data(),
      operations.size(),
      refusal->sent_.tag(),
      nullptr);
  BOOST_VERIFY(error == GRPC_CALL_OK);
  grpc_slice_unref(text);
}

void Refusal::sent(void* self, bool) {
  auto* const refusal = static_cast<Refusal*>(self);
  auto& pending = refusal->pending_;
  delete refusal;
  pending.end();
}

} // namespace switchyard::grpc
