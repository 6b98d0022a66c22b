/* Frozen signatures of the plugin ABI: what the layout cannot see. A failure here is a broken
 * promise, not a stale test. */
#include <switchyard/connection.h>
#include <switchyard/dial.h>
#include <switchyard/grpc/client.h>
#include <switchyard/grpc/services.h>
#include <switchyard/grpc/status.h>
#include <switchyard/host.h>
#include <switchyard/interfaces.h>
#include <switchyard/journal.h>
#include <switchyard/loops.h>
#include <switchyard/metrics.h>
#include <switchyard/netrpc/client.h>
#include <switchyard/netrpc/endpoints.h>
#include <switchyard/plugin.h>
#include <switchyard/raft/consensus.h>
#include <switchyard/status.h>
#include <switchyard/threads.h>

#define PINNED(function, ...)                                                                      \
  _Static_assert(_Generic((function), __VA_ARGS__ : 1, default : 0), #function)
#define FIELD(type, field) (((type*)0)->field)
#define CALLBACK(type) ((type)0)

PINNED(CALLBACK(sy_callback), void (*)(void*));
PINNED(FIELD(sy_host, log), void (*)(const sy_host*, sy_log_level, sy_string));
PINNED(FIELD(sy_host, log_enabled), uint32_t (*)(const sy_host*, sy_log_level));
PINNED(FIELD(sy_host, service), const void* (*)(const sy_host*, const char*));
PINNED(FIELD(sy_connection_api, try_read), sy_status (*)(sy_connection*, void*, size_t, size_t*));
PINNED(FIELD(sy_connection_api, wait_readable), sy_status (*)(sy_connection*, sy_io_done, void*));
PINNED(
    FIELD(sy_connection_api, read_some),
    sy_status (*)(sy_connection*, void*, size_t, sy_io_done, void*));
PINNED(
    FIELD(sy_connection_api, try_write),
    sy_status (*)(sy_connection*, const sy_bytes*, size_t, size_t*));
PINNED(
    FIELD(sy_connection_api, write),
    sy_status (*)(sy_connection*, const sy_bytes*, size_t, sy_io_done, void*));
PINNED(FIELD(sy_connection_api, shutdown_write), sy_status (*)(sy_connection*));
PINNED(FIELD(sy_connection_api, cancel), void (*)(sy_connection*));
PINNED(FIELD(sy_connection_api, close), void (*)(sy_connection*, sy_close_reason));
PINNED(FIELD(sy_connection_api, describe), sy_status (*)(sy_connection*, sy_connection_info*));
PINNED(FIELD(sy_connection_api, detach), sy_status (*)(sy_connection*, sy_descriptor*));
PINNED(CALLBACK(sy_io_done), void (*)(void*, sy_status, size_t));
PINNED(FIELD(sy_loops, current), uint32_t (*)(const sy_host*));
PINNED(FIELD(sy_loops, now), uint64_t (*)(const sy_host*));
PINNED(FIELD(sy_loops, post), sy_status (*)(const sy_host*, uint32_t, sy_callback, void*));
PINNED(
    FIELD(sy_loops, start_timer),
    sy_status (*)(const sy_host*, uint64_t, sy_callback, void*, sy_timer**));
PINNED(FIELD(sy_loops, stop_timer), void (*)(const sy_host*, sy_timer*));
PINNED(FIELD(sy_loops, adopt), sy_status (*)(const sy_host*, int32_t, sy_connection**));
PINNED(
    FIELD(sy_threads, spawn),
    sy_status (*)(const sy_host*, sy_string, sy_callback, void*, sy_thread**));
PINNED(FIELD(sy_threads, join), void (*)(const sy_host*, sy_thread*));
PINNED(
    FIELD(sy_metrics, counter), sy_status (*)(const sy_host*, sy_string, sy_string, sy_metric**));
PINNED(FIELD(sy_metrics, gauge), sy_status (*)(const sy_host*, sy_string, sy_string, sy_metric**));
PINNED(FIELD(sy_metrics, add), void (*)(sy_metric*, double));
PINNED(
    FIELD(sy_dial, dial),
    sy_status (*)(const sy_host*, const sy_dial_options*, sy_dial_done, void*));
PINNED(FIELD(sy_dial, cancel), void (*)(const sy_host*, void*));
PINNED(CALLBACK(sy_dial_done), void (*)(void*, sy_status, sy_connection*, const sy_error*));
PINNED(
    FIELD(sy_interfaces, open),
    sy_status (*)(const sy_host*, const char*, sy_interface**, sy_error*));
PINNED(FIELD(sy_interfaces, close), void (*)(sy_interface*));
PINNED(FIELD(sy_interfaces, acquire), sy_status (*)(sy_interface*, sy_lease*));
PINNED(FIELD(sy_interfaces, release), void (*)(sy_lease*));
PINNED(
    FIELD(sy_registrar, bind),
    sy_status (*)(void*, sy_registration*, sy_string, const void*, size_t, sy_error*));
PINNED(FIELD(sy_registrar, unbind), void (*)(void*, sy_registration*));
PINNED(
    FIELD(sy_registrar, exchange),
    sy_status (*)(void*, sy_registration* const*, size_t, const sy_binding*, size_t, sy_error*));
PINNED(FIELD(sy_registrar, end_soon), void (*)(void*, sy_registration*, uint32_t));
PINNED(
    FIELD(sy_journal, add),
    sy_status (*)(
        const sy_host*, const char*, sy_string, const void*, size_t, sy_registration**, sy_error*));
PINNED(FIELD(sy_journal, remove), void (*)(sy_registration*));
PINNED(FIELD(sy_journal, enter), sy_status (*)(sy_registration*));
PINNED(FIELD(sy_journal, leave), void (*)(sy_registration*));
PINNED(FIELD(sy_plugin, check_config), sy_status (*)(sy_string, sy_error*));
PINNED(FIELD(sy_plugin, init), sy_status (*)(const sy_host*, sy_string, sy_instance**, sy_error*));
PINNED(FIELD(sy_plugin, start), sy_status (*)(sy_instance*, sy_error*));
PINNED(FIELD(sy_plugin, activate), sy_status (*)(sy_instance*, sy_error*));
PINNED(FIELD(sy_plugin, serve), sy_status (*)(sy_instance*, uint32_t, sy_connection*));
PINNED(
    FIELD(sy_plugin, serve_descriptor),
    sy_status (*)(sy_instance*, uint32_t, const sy_descriptor*));
PINNED(FIELD(sy_plugin, health), sy_status (*)(sy_instance*, sy_error*));
PINNED(FIELD(sy_plugin, drain), sy_status (*)(sy_instance*, uint64_t, sy_drain_done, void*));
PINNED(FIELD(sy_plugin, abort_all), void (*)(sy_instance*));
PINNED(FIELD(sy_plugin, stop), sy_status (*)(sy_instance*, sy_error*));
PINNED(FIELD(sy_plugin, destroy), void (*)(sy_instance*));
PINNED(FIELD(sy_plugin, query), const void* (*)(sy_instance*, const char*));
PINNED(FIELD(sy_plugin, quiesce), sy_status (*)(sy_instance*, const sy_state_sink*, sy_error*));
PINNED(FIELD(sy_plugin, take_over), sy_status (*)(sy_instance*, const sy_state*, sy_error*));
PINNED(FIELD(sy_state_sink, write), sy_status (*)(const sy_state_sink*, sy_bytes));
PINNED(FIELD(sy_state_sink, descriptor), sy_status (*)(const sy_state_sink*, int));
PINNED(FIELD(sy_state, descriptors), const int*);
PINNED(CALLBACK(sy_drain_done), void (*)(void*));
PINNED(FIELD(sy_netrpc_call_api, reply), void (*)(sy_netrpc_call*, sy_bytes));
PINNED(FIELD(sy_netrpc_call_api, fail), void (*)(sy_netrpc_call*, sy_string));
PINNED(FIELD(sy_netrpc_call_api, drop), void (*)(sy_netrpc_call*));
PINNED(FIELD(sy_netrpc_call_api, remote), sy_string (*)(sy_netrpc_call*));
PINNED(FIELD(sy_netrpc_call_api, reject), void (*)(sy_netrpc_call*, sy_string));
PINNED(FIELD(sy_netrpc_endpoint, call), void (*)(void*, sy_netrpc_call*, sy_bytes));
PINNED(FIELD(sy_netrpc_endpoint, cancel), void (*)(void*, sy_netrpc_call*));
PINNED(
    FIELD(sy_netrpc_endpoints, invoke),
    sy_status (*)(void*, sy_string, sy_bytes, sy_netrpc_done, void*));
PINNED(CALLBACK(sy_netrpc_done), void (*)(void*, sy_status, sy_string, sy_bytes));
PINNED(
    FIELD(sy_netrpc_client, call),
    sy_status (*)(void*, const sy_netrpc_request*, sy_netrpc_done, void*, sy_netrpc_invocation**));
PINNED(FIELD(sy_netrpc_client, cancel), void (*)(void*, sy_netrpc_invocation*));
PINNED(CALLBACK(sy_grpc_sent), void (*)(void*, sy_status));
PINNED(CALLBACK(sy_grpc_received), void (*)(void*, sy_status, sy_bytes));
PINNED(FIELD(sy_grpc_call_api, describe), void (*)(sy_grpc_call*, sy_grpc_call_info*));
PINNED(FIELD(sy_grpc_call_api, send_metadata), sy_status (*)(sy_grpc_call*, sy_grpc_metadata));
PINNED(FIELD(sy_grpc_call_api, send), sy_status (*)(sy_grpc_call*, sy_bytes, sy_grpc_sent, void*));
PINNED(FIELD(sy_grpc_call_api, receive), sy_status (*)(sy_grpc_call*, sy_grpc_received, void*));
PINNED(
    FIELD(sy_grpc_call_api, finish),
    void (*)(sy_grpc_call*, const sy_grpc_status*, sy_bytes, sy_grpc_metadata));
PINNED(FIELD(sy_grpc_method, call), void (*)(void*, sy_grpc_call*, sy_bytes));
PINNED(FIELD(sy_grpc_service, methods), const sy_grpc_method* const*);
PINNED(FIELD(sy_grpc_service, cancel), void (*)(void*, sy_grpc_call*));
PINNED(FIELD(sy_grpc_service, ended), void (*)(void*, sy_grpc_call*));
PINNED(
    FIELD(sy_grpc_stream_api, send), sy_status (*)(sy_grpc_stream*, sy_bytes, sy_grpc_sent, void*));
PINNED(FIELD(sy_grpc_stream_api, finish_sending), sy_status (*)(sy_grpc_stream*));
PINNED(FIELD(sy_grpc_stream_api, receive), sy_status (*)(sy_grpc_stream*, sy_grpc_received, void*));
PINNED(FIELD(sy_grpc_stream_api, cancel), void (*)(sy_grpc_stream*));
PINNED(FIELD(sy_grpc_events, metadata), void (*)(void*, sy_grpc_stream*, sy_grpc_metadata));
PINNED(
    FIELD(sy_grpc_events, ended),
    void (*)(void*, sy_grpc_stream*, const sy_grpc_status*, sy_grpc_metadata));
PINNED(
    CALLBACK(sy_grpc_answered),
    void (*)(void*, const sy_grpc_status*, sy_bytes, sy_grpc_metadata, sy_grpc_metadata));
PINNED(
    FIELD(sy_grpc_client, open),
    sy_status (*)(void*, const sy_grpc_channel_options*, sy_grpc_channel**, sy_error*));
PINNED(FIELD(sy_grpc_client, close), void (*)(void*, sy_grpc_channel*));
PINNED(
    FIELD(sy_grpc_client, call),
    sy_status (*)(
        void*,
        sy_grpc_channel*,
        const sy_grpc_request*,
        const sy_grpc_events*,
        void*,
        sy_grpc_stream**));
PINNED(
    FIELD(sy_grpc_client, unary),
    sy_status (*)(void*, sy_grpc_channel*, const sy_grpc_request*, sy_grpc_answered, void*));
PINNED(FIELD(sy_raft_results, set), void (*)(const sy_raft_results*, size_t, sy_bytes));
PINNED(FIELD(sy_raft_sink, write), sy_status (*)(const sy_raft_sink*, sy_bytes));
PINNED(FIELD(sy_raft_source, read), sy_status (*)(const sy_raft_source*, sy_bytes*));
PINNED(FIELD(sy_raft_machine, applied), uint64_t (*)(void*));
PINNED(
    FIELD(sy_raft_machine, apply),
    sy_status (*)(void*, const sy_raft_entry*, size_t, const sy_raft_results*, sy_error*));
PINNED(FIELD(sy_raft_machine, capture), sy_status (*)(void*, void**, sy_error*));
PINNED(FIELD(sy_raft_machine, write), sy_status (*)(void*, void*, const sy_raft_sink*, sy_error*));
PINNED(FIELD(sy_raft_machine, release), void (*)(void*, void*));
PINNED(
    FIELD(sy_raft_machine, restore),
    sy_status (*)(void*, uint64_t, const sy_raft_source*, sy_error*));
PINNED(FIELD(sy_raft_machine, restored), void (*)(void*, uint32_t));
PINNED(FIELD(sy_raft_machine, leadership), void (*)(void*, const sy_raft_leadership*));
PINNED(FIELD(sy_raft_machine, placed), void (*)(void*, uint32_t));
PINNED(
    FIELD(sy_raft_consensus, propose),
    sy_status (*)(void*, sy_bytes, sy_bytes, uint64_t, sy_raft_done, void*));
PINNED(FIELD(sy_raft_consensus, barrier), sy_status (*)(void*, uint64_t, sy_raft_done, void*));
PINNED(FIELD(sy_raft_consensus, verify), sy_status (*)(void*, uint64_t, sy_raft_done, void*));
PINNED(
    FIELD(sy_raft_consensus, change),
    sy_status (*)(void*, const sy_raft_change*, uint64_t, sy_raft_done, void*));
PINNED(
    FIELD(sy_raft_consensus, transfer),
    sy_status (*)(void*, sy_string, uint64_t, sy_raft_done, void*));
PINNED(FIELD(sy_raft_consensus, snapshot), sy_status (*)(void*, uint64_t, sy_raft_done, void*));
PINNED(FIELD(sy_raft_consensus, durable), void (*)(void*, uint64_t));
PINNED(FIELD(sy_raft_consensus, state), sy_status (*)(void*, sy_raft_tell, void*));
PINNED(
    FIELD(sy_raft_consensus, bootstrap),
    sy_status (*)(void*, const sy_raft_server*, size_t, sy_raft_done, void*));
PINNED(FIELD(sy_raft_consensus, recover), sy_status (*)(void*, sy_raft_done, void*));
PINNED(CALLBACK(sy_raft_done), void (*)(void*, sy_status, uint64_t, sy_bytes, const sy_error*));
PINNED(CALLBACK(sy_raft_tell), void (*)(void*, const sy_raft_state*));
