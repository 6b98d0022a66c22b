/* The methods that stream: one struct a call, which at most one operation at a time refers to. */
#include "greeter.h"

#include <stdatomic.h>
#include <stdlib.h>

typedef struct greeter_stream {
  sy_grpc_call* call;
  atomic_flag finished;    /* whoever sets it finishes the call: its work and a cancel may meet */
  greeter_request request; /* of Repeat: what is still to be said, `times` more times */
} greeter_stream;

static void finish(greeter_stream* stream, sy_grpc_code code, const char* text) {
  if (!atomic_flag_test_and_set(&stream->finished)) greeter_finish(stream->call, code, text);
}

static greeter_stream* begin(sy_grpc_call* call) {
  greeter_stream* const stream = malloc(sizeof *stream);
  if (stream == NULL) {
    greeter_finish(call, SY_GRPC_RESOURCE_EXHAUSTED, "out of memory");
    return NULL;
  }
  stream->call = call;
  atomic_flag_clear(&stream->finished);
  call->user = stream;
  return stream;
}

void greeter_stream_cancel(void* context, sy_grpc_call* call) {
  (void)context;
  if (call->user != NULL) finish(call->user, SY_GRPC_UNAVAILABLE, "the server is going away");
}

void greeter_stream_ended(void* context, sy_grpc_call* call) {
  (void)context;
  free(call->user);
}

static sy_status send_greeting(greeter_stream* stream, sy_grpc_sent sent) {
  unsigned char greeting[GREETER_GREETING_MAX];
  const sy_bytes message = {greeting, greeter_greeting_write(&stream->request, greeting)};
  return stream->call->api->send(stream->call, message, sent, stream);
}

/* Repeat: the next greeting once the last has gone. */
static void repeat(void* context, sy_status status) {
  greeter_stream* const stream = context;
  if (status == SY_OK && stream->request.times == 0) {
    finish(stream, SY_GRPC_OK, "");
    return;
  }
  if (status == SY_OK) {
    --stream->request.times;
    status = send_greeting(stream, &repeat);
  }
  if (status != SY_OK) finish(stream, SY_GRPC_CANCELLED, "");
}

void greeter_repeat(void* context, sy_grpc_call* call, sy_bytes message) {
  (void)context;
  greeter_stream* const stream = begin(call);
  if (stream == NULL) return;
  if (!greeter_request_read(message, &stream->request) || stream->request.name_size == 0) {
    finish(stream, SY_GRPC_INVALID_ARGUMENT, "a name of 1 to 256 bytes is needed");
    return;
  }
  if (stream->request.times == 0) stream->request.times = 1;
  repeat(stream, SY_OK);
}

/* Meet: receive, send, receive, … */
static void received(void* context, sy_status status, sy_bytes message);

static void ask(greeter_stream* stream) {
  const sy_status status = stream->call->api->receive(stream->call, &received, stream);
  if (status != SY_OK) finish(stream, SY_GRPC_CANCELLED, "");
}

static void greeted(void* context, sy_status status) {
  greeter_stream* const stream = context;
  if (status == SY_OK) {
    ask(stream);
  } else {
    finish(stream, SY_GRPC_CANCELLED, "");
  }
}

static void received(void* context, sy_status status, sy_bytes message) {
  greeter_stream* const stream = context;
  if (status == SY_CLOSED) {
    finish(stream, SY_GRPC_OK, "");
  } else if (status != SY_OK) {
    finish(stream, SY_GRPC_CANCELLED, "");
  } else if (!greeter_request_read(message, &stream->request) || stream->request.name_size == 0) {
    finish(stream, SY_GRPC_INVALID_ARGUMENT, "a name of 1 to 256 bytes is needed");
  } else if (send_greeting(stream, &greeted) != SY_OK) {
    finish(stream, SY_GRPC_CANCELLED, "");
  }
}

void greeter_meet(void* context, sy_grpc_call* call, sy_bytes message) {
  (void)context;
  (void)message;
  greeter_stream* const stream = begin(call);
  if (stream != NULL) ask(stream);
}
