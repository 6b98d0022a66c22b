/* The commands of a client. */
#pragma once

#include "session.h"

/* Runs one line, which is borrowed; kv_session_answer() follows once. */
void kv_command_run(kv_service* service, kv_session* session, char* line);
