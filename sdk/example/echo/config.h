/* The plugin's own settings: {"greeting": "text"}. */
#pragma once

#include <switchyard/status.h>

#define ECHO_GREETING_MAX 256

typedef struct echo_config {
  char greeting[ECHO_GREETING_MAX]; /* what answers the first bytes; UTF-8 */
  size_t greeting_size;             /* in bytes; 0: the first bytes are echoed like all others */
} echo_config;

/* Reads `json`, one object (RFC 8259); fails with a sentence for the operator. Pure. */
sy_status echo_config_read(sy_string json, echo_config* config, sy_error* error);
