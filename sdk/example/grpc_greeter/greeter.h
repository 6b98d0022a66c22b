/* The service switchyard.example.Greeter. */
#pragma once

#include "message.h"

#include <switchyard/grpc/services.h>

#define GREETER_NAME "switchyard.example.Greeter"

/* What is registered under that name; without its descriptor set. */
extern const sy_grpc_service greeter_service;

/* Ends a call with a status alone. `text` is a literal, or empty. [any thread] */
void greeter_finish(sy_grpc_call* call, sy_grpc_code code, const char* text);

/* Repeat and Meet, and what every stream needs. stream.c */
void greeter_repeat(void* context, sy_grpc_call* call, sy_bytes message);
void greeter_meet(void* context, sy_grpc_call* call, sy_bytes message);
void greeter_stream_cancel(void* context, sy_grpc_call* call);
void greeter_stream_ended(void* context, sy_grpc_call* call);
