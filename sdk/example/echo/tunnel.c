#include "tunnel.h"

#include <switchyard/pump.h>

#include <sys/socket.h>

#include <stdlib.h>
#include <unistd.h>

#define LINGER UINT64_C(30000000000) /* ns without a byte once one side has finished */

typedef struct echo_tunnel {
  echo_link link;
  echo_loop* loop;
  sy_pump* pump;
} echo_tunnel;

static void forget(echo_tunnel* tunnel) {
  echo_drain* const drain = tunnel->loop->shared->drain;
  echo_link_remove(&tunnel->link);
  free(tunnel);
  echo_drain_leave(drain);
}

static void on_done(void* context) {
  forget(context);
}

sy_status echo_tunnel_serve(echo_loop* loop, echo_poller* poller, sy_connection* connection) {
  const echo_loops* const shared = loop->shared;
  if (loop->draining || !echo_drain_enter(shared->drain)) return SY_CANCELLED;

  int ends[2];
  sy_connection* inner = NULL;
  sy_status status = SY_LIMIT;
  echo_tunnel* const tunnel = calloc(1, sizeof *tunnel);
  if (tunnel != NULL &&
      socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0) {
    status = shared->loops->adopt(shared->host, ends[0], &inner);
    if (status != SY_OK) close(ends[1]);
  }
  if (status != SY_OK) {
    free(tunnel);
    echo_drain_leave(shared->drain);
    return status;
  }

  /* From here on the connection is ours, whatever happens. */
  tunnel->loop = loop;
  echo_link_append(&loop->tunnels, &tunnel->link);
  if (sy_pump_start(shared->host, connection, inner, LINGER, &on_done, tunnel, &tunnel->pump) !=
      SY_OK) {
    forget(tunnel);
    close(ends[1]);
    return SY_OK;
  }
  /* When there is no place for the guest, the pump finds its other end closed. */
  echo_guest* const guest =
      echo_guest_create(ends[1], shared->loops->now(shared->host), shared->config, shared->drain);
  if (guest != NULL) (void)echo_poller_add(poller, guest);
  return SY_OK;
}

void echo_tunnels_end(echo_loop* loop) {
  while (!echo_ring_empty(&loop->tunnels)) {
    echo_tunnel* const tunnel = (echo_tunnel*)loop->tunnels.next;
    sy_pump_stop(tunnel->pump, SY_CLOSE_DRAINED);
    forget(tunnel);
  }
}
