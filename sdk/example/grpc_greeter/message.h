/* The messages of greeter.proto on the wire. Source: the protobuf encoding,
 * https://protobuf.dev/programming-guides/encoding/ */
#pragma once

#include <switchyard/status.h>

#define GREETER_NAME_MAX 256 /* bytes */
#define GREETER_GREETING_MAX (GREETER_NAME_MAX + 16)

/* A GreetRequest or a RepeatRequest: the first is the second without `times`. */
typedef struct greeter_request {
  char name[GREETER_NAME_MAX];
  size_t name_size;
  uint32_t times; /* 0 when it is not there */
} greeter_request;

/* Reads a message; the last of a repeated field counts, unknown ones are skipped. 0 when it is
 * none, or its name is too long. Pure. */
int greeter_request_read(sy_bytes message, greeter_request* request);

/* Writes the Greeting for `request`; returns its size. Pure. */
size_t
greeter_greeting_write(const greeter_request* request, unsigned char message[GREETER_GREETING_MAX]);
