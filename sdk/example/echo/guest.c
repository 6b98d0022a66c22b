#include "guest.h"

#include "loop.h"

#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* close() alone would leave the connection open: the host holds a duplicate. */
static void hang_up(int descriptor) {
  shutdown(descriptor, SHUT_RDWR);
  close(descriptor);
}

echo_guest*
echo_guest_create(int descriptor, uint64_t now, const echo_config* config, echo_drain* drain) {
  echo_guest* const guest = calloc(1, sizeof *guest);
  if (guest == NULL || !echo_drain_enter(drain)) {
    free(guest);
    hang_up(descriptor);
    return NULL;
  }
  guest->descriptor = descriptor;
  guest->since = now;
  guest->config = config;
  guest->drain = drain;
  return guest;
}

void echo_guest_end(echo_guest* guest) {
  echo_drain* const drain = guest->drain;
  hang_up(guest->descriptor);
  free(guest->rest);
  free(guest);
  echo_drain_leave(drain);
}

short echo_guest_events(const echo_guest* guest) {
  return guest->rest != NULL ? POLLOUT : POLLIN;
}

/* How much of it the socket takes now; -1: it is broken. */
static ssize_t send_some(int descriptor, const char* bytes, size_t size) {
  for (;;) {
    const ssize_t sent = send(descriptor, bytes, size, MSG_NOSIGNAL);
    if (sent >= 0) return sent;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
    if (errno != EINTR) return -1;
  }
}

int echo_guest_answer(echo_guest* guest, const char* bytes, size_t size) {
  if (!guest->greeted && guest->config->greeting_size != 0) {
    bytes = guest->config->greeting;
    size = guest->config->greeting_size;
  }
  guest->greeted = 1;
  const ssize_t sent = send_some(guest->descriptor, bytes, size);
  if (sent < 0) return 0;
  if ((size_t)sent == size) return 1;
  guest->rest_at = 0;
  guest->rest_size = size - (size_t)sent;
  guest->rest = malloc(guest->rest_size);
  if (guest->rest == NULL) return 0;
  memcpy(guest->rest, bytes + sent, guest->rest_size);
  return 1;
}

static int write_rest(echo_guest* guest) {
  const ssize_t sent =
      send_some(guest->descriptor, guest->rest + guest->rest_at, guest->rest_size - guest->rest_at);
  if (sent < 0) return 0;
  guest->rest_at += (size_t)sent;
  if (guest->rest_at == guest->rest_size) {
    free(guest->rest);
    guest->rest = NULL;
  }
  return 1;
}

int echo_guest_go_on(echo_guest* guest, uint64_t now) {
  guest->since = now;
  if (guest->rest != NULL) return write_rest(guest);
  char chunk[ECHO_CHUNK];
  const ssize_t got = recv(guest->descriptor, chunk, sizeof chunk, 0);
  if (got < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
  return got > 0 && echo_guest_answer(guest, chunk, (size_t)got);
}
