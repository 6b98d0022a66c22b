#include "greeter.h"

#include <string.h>

void greeter_finish(sy_grpc_call* call, sy_grpc_code code, const char* text) {
  const sy_grpc_status status = {
      .struct_size = sizeof status, .code = code, .message = {text, strlen(text)}};
  call->api->finish(call, &status, (sy_bytes){NULL, 0}, (sy_grpc_metadata){NULL, 0});
}

static void greet(void* context, sy_grpc_call* call, sy_bytes message) {
  (void)context;
  greeter_request request;
  if (!greeter_request_read(message, &request) || request.name_size == 0) {
    greeter_finish(call, SY_GRPC_INVALID_ARGUMENT, "a name of 1 to 256 bytes is needed");
    return;
  }
  unsigned char greeting[GREETER_GREETING_MAX];
  const sy_bytes answer = {greeting, greeter_greeting_write(&request, greeting)};
  const sy_grpc_status ok = {.struct_size = sizeof ok, .code = SY_GRPC_OK};
  call->api->finish(call, &ok, answer, (sy_grpc_metadata){NULL, 0});
}

static const sy_grpc_method kGreet = {
    .struct_size = sizeof kGreet, .kind = SY_GRPC_UNARY, .name = {"Greet", 5}, .call = &greet};

static const sy_grpc_method kRepeat = {
    .struct_size = sizeof kRepeat,
    .kind = SY_GRPC_SERVER_STREAMING,
    .name = {"Repeat", 6},
    .call = &greeter_repeat};

static const sy_grpc_method kMeet = {
    .struct_size = sizeof kMeet,
    .kind = SY_GRPC_BIDIRECTIONAL,
    .name = {"Meet", 4},
    .call = &greeter_meet};

static const sy_grpc_method* const kMethods[] = {&kGreet, &kRepeat, &kMeet};

const sy_grpc_service greeter_service = {
    .struct_size = sizeof greeter_service,
    .flags = SY_GRPC_ON_INTERNAL | SY_GRPC_ON_EXTERNAL,
    .methods = kMethods,
    .method_count = sizeof kMethods / sizeof *kMethods,
    .cancel = &greeter_stream_cancel,
    .ended = &greeter_stream_ended};
