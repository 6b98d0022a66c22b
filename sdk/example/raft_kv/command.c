#include "command.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALL_LIMIT UINT64_C(10000000000) /* ns */
#define ANSWER_SIZE 1024

static void
done(void* context, sy_status status, uint64_t index, sy_bytes result, const sy_error* error) {
  char small[ANSWER_SIZE];
  char* text = small;
  if (status != SY_OK) {
    snprintf(small, sizeof small, "err %s", error->text);
  } else if (result.size == 0) {
    snprintf(small, sizeof small, "ok index=%" PRIu64, index);
  } else {
    const size_t size = result.size + 64;
    text = size > sizeof small ? malloc(size) : small;
    if (text == NULL) {
      kv_session_answer(context, "err out of memory");
      return;
    }
    snprintf(
        text,
        size > sizeof small ? size : sizeof small,
        "ok index=%" PRIu64 " response=%.*s",
        index,
        (int)result.size,
        (const char*)result.data);
  }
  kv_session_answer(context, text);
  if (text != small) free(text);
}

/* What did not begin. */
static void refused(kv_session* session, sy_status status) {
  const char* text = "err the call is not a valid one";
  if (status == SY_REVOKED || status == SY_CANCELLED || status == SY_AGAIN) {
    text = "err raft does not serve now";
  } else if (status == SY_LIMIT) {
    text = "err too large, or too many calls wait";
  }
  kv_session_answer(session, text);
}

static void told(void* context, const sy_raft_state* state) {
  static const char* const kRoles[] = {"Follower", "Candidate", "Leader"};
  char line[ANSWER_SIZE];
  snprintf(
      line,
      sizeof line,
      "ok %s term=%" PRIu64 " leader=%.*s leader_id=%.*s last=%" PRIu64 " applied=%" PRIu64
      " commit=%" PRIu64 " snapshot=%" PRIu64 " first=%" PRIu64,
      kRoles[state->role % 3],
      state->term,
      (int)state->leader_address.size,
      state->leader_address.data,
      (int)state->leader_id.size,
      state->leader_id.data,
      state->last_index,
      state->applied_index,
      state->commit_index,
      state->snapshot_index,
      state->first_index);
  kv_session_answer(context, line);
}

static void told_members(void* context, const sy_raft_state* state) {
  char line[8 * ANSWER_SIZE];
  int size = snprintf(line, sizeof line, "ok index=%" PRIu64, state->configuration_index);
  for (size_t at = 0; at < state->server_count && size >= 0 && (size_t)size < sizeof line; ++at) {
    const sy_raft_server* const server = &state->servers[at];
    size += snprintf(
        line + size,
        sizeof line - (size_t)size,
        " %.*s=%.*s/%s",
        (int)server->id.size,
        server->id.data,
        (int)server->address.size,
        server->address.data,
        server->voter ? "Voter" : "Nonvoter");
  }
  kv_session_answer(context, line);
}

#define DISPLACED "err another version of this plugin has the state now: connect again"

static void answer_sum(kv_service* service, kv_session* session) {
  char line[ANSWER_SIZE];
  kv_machine* const machine = &service->machine;
  pthread_mutex_lock(&machine->mutex);
  if (machine->displaced) {
    pthread_mutex_unlock(&machine->mutex);
    kv_session_answer(session, DISPLACED);
    return;
  }
  const kv_store* const store = machine->store;
  char chain[17];
  for (int at = 0; at < 8; ++at)
    snprintf(chain + 2 * at, 3, "%02x", store->chain[at]);
  snprintf(
      line,
      sizeof line,
      "ok count=%" PRIu64 " chain=%s keys=%zu applied=%" PRIu64,
      store->commands,
      chain,
      store->count,
      machine->applied);
  pthread_mutex_unlock(&machine->mutex);
  kv_session_answer(session, line);
}

static void answer_get(kv_service* service, kv_session* session, const char* key) {
  kv_machine* const machine = &service->machine;
  char* answer = NULL;
  pthread_mutex_lock(&machine->mutex);
  const int displaced = machine->displaced;
  const char* const value = displaced ? NULL : kv_store_get(machine->store, key);
  if (value != NULL) {
    const size_t size = strlen(value) + 4;
    answer = malloc(size);
    if (answer != NULL) snprintf(answer, size, "ok %s", value);
  }
  pthread_mutex_unlock(&machine->mutex);
  kv_session_answer(session, answer != NULL ? answer : displaced ? DISPLACED : "err not found");
  free(answer);
}

static sy_string text_of(const char* text) {
  return (sy_string){text, text == NULL ? 0 : strlen(text)};
}

/* The calls of raft; anything but SY_OK: it has not begun. */
static sy_status
call(const sy_raft_consensus* raft, void* provider, kv_session* session, char* line) {
  char* rest = strchr(line, ' ');
  if (rest != NULL) *rest++ = '\0';
  if (strcmp(line, "apply") == 0) {
    const char* const command = rest == NULL ? "" : rest + strspn(rest, " ");
    return raft->propose(
        provider,
        (sy_bytes){command, strlen(command)},
        (sy_bytes){NULL, 0},
        CALL_LIMIT,
        &done,
        session);
  }
  if (strcmp(line, "state") == 0) return raft->state(provider, &told, session);
  if (strcmp(line, "config") == 0) return raft->state(provider, &told_members, session);
  if (strcmp(line, "barrier") == 0) return raft->barrier(provider, CALL_LIMIT, &done, session);
  if (strcmp(line, "verify") == 0) return raft->verify(provider, CALL_LIMIT, &done, session);
  if (strcmp(line, "snapshot") == 0) return raft->snapshot(provider, CALL_LIMIT, &done, session);

  char* place = NULL;
  const char* const id = rest == NULL ? NULL : strtok_r(rest, " ", &place);
  if (strcmp(line, "transfer") == 0) {
    return raft->transfer(provider, text_of(id), CALL_LIMIT, &done, session);
  }
  static const char* const kChanges[] = {"addvoter", "addnonvoter", "demote", "remove"};
  for (uint32_t kind = 0; kind < 4; ++kind) {
    if (strcmp(line, kChanges[kind]) != 0) continue;
    const char* const address =
        id == NULL || kind > SY_RAFT_ADD_NONVOTER ? NULL : strtok_r(NULL, " ", &place);
    const sy_raft_change change = {sizeof change, kind, text_of(id), text_of(address), 0};
    return raft->change(provider, &change, CALL_LIMIT, &done, session);
  }
  kv_session_answer(
      session,
      "err unknown command; known are: apply COMMAND | get KEY | sum | state | config | barrier | "
      "verify | snapshot | transfer [ID] | addvoter ID ADDRESS | addnonvoter ID ADDRESS | demote "
      "ID "
      "| remove ID");
  return SY_OK;
}

void kv_command_run(kv_service* service, kv_session* session, char* line) {
  if (strcmp(line, "sum") == 0) {
    answer_sum(service, session);
    return;
  }
  if (strncmp(line, "get ", 4) == 0) {
    answer_get(service, session, line + 4);
    return;
  }
  sy_lease lease;
  if (service->interfaces->acquire(service->raft, &lease) != SY_OK) {
    refused(session, SY_REVOKED);
    return;
  }
  const sy_status status = call(lease.table, lease.provider, session, line);
  service->interfaces->release(&lease);
  if (status != SY_OK) refused(session, status);
}
