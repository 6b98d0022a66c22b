#include <switchyard/boundary.hpp>

#include <host/crash/boundary.hpp>
#include <host/plugin/control_call.hpp>
#include <host/services/failure.hpp>

#include <memory>

namespace switchyard::host {

OrRefusal<void> control_call(
    ControlThread& control,
    std::chrono::milliseconds limit,
    std::string_view plugin,
    std::string_view function,
    std::function<sy_status(sy_error* error)> body) {
  using enum RefusalCode;

  struct Call {
    std::function<sy_status(sy_error* error)> body;
    sy_error error{.struct_size = sizeof(sy_error), .code = SY_OK, .text = {}};
    sy_status status = SY_OK;
    bool returned = false;
  };

  const auto call = std::make_shared<Call>(Call{std::move(body)});
  // Both texts outlive a call that is given up: a literal, and what the call itself holds.
  const auto in_time = control.run(limit, [call, function, name = std::string{plugin}] {
    const BoundaryCrossed crossed{function, name};
    call->status = at_boundary(&call->error, [&] {
      const auto status = call->body(&call->error);
      call->returned = true;
      return status;
    });
  });
  if (!in_time) return refuse(CallHung, plugin, {function, duration_text(limit)});
  if (!call->returned) return refuse(CallThrew, plugin, {function, said(call->error)});
  if (call->status != SY_OK) return refuse(CallFailed, plugin, {function, said(call->error)});
  return {};
}

std::string duration_text(std::chrono::milliseconds time) {
  if (time.count() % 1000 == 0) return std::to_string(time.count() / 1000) + " s";
  return std::to_string(time.count()) + " ms";
}

} // namespace switchyard::host
