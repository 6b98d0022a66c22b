/* Frozen layout of the plugin ABI on LP64. A failure here is a broken promise, not a stale test: a
 * new field goes to the end of its struct, gets a line here and raises the minor. */
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

#define FROZEN(type, field, at) _Static_assert(offsetof(type, field) == (at), #type "." #field)
#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type)

FROZEN(sy_string, data, 0);
FROZEN(sy_string, size, 8);
SIZE(sy_string, 16);

FROZEN(sy_bytes, data, 0);
FROZEN(sy_bytes, size, 8);
SIZE(sy_bytes, 16);

FROZEN(sy_error, struct_size, 0);
FROZEN(sy_error, code, 4);
FROZEN(sy_error, text, 8);
SIZE(sy_error, 508);

FROZEN(sy_host, struct_size, 0);
FROZEN(sy_host, reserved, 4);
FROZEN(sy_host, host_data, 8);
FROZEN(sy_host, log, 16);
FROZEN(sy_host, log_enabled, 24);
FROZEN(sy_host, service, 32);
SIZE(sy_host, 40);

FROZEN(sy_connection_info, struct_size, 0);
FROZEN(sy_connection_info, loop, 4);
FROZEN(sy_connection_info, id, 8);
FROZEN(sy_connection_info, tls, 16);
FROZEN(sy_connection_info, tag, 20);
FROZEN(sy_connection_info, protocol, 24);
FROZEN(sy_connection_info, listener, 40);
FROZEN(sy_connection_info, alpn, 56);
FROZEN(sy_connection_info, server_name, 72);
FROZEN(sy_connection_info, peer_names, 88);
FROZEN(sy_connection_info, remote, 104);
FROZEN(sy_connection_info, local, 168);
SIZE(sy_connection_info, 232);

FROZEN(sy_descriptor, struct_size, 0);
FROZEN(sy_descriptor, descriptor, 4);
FROZEN(sy_descriptor, read_ahead, 8);
FROZEN(sy_descriptor, id, 24);
SIZE(sy_descriptor, 32);

FROZEN(sy_connection_api, struct_size, 0);
FROZEN(sy_connection_api, reserved, 4);
FROZEN(sy_connection_api, try_read, 8);
FROZEN(sy_connection_api, wait_readable, 16);
FROZEN(sy_connection_api, read_some, 24);
FROZEN(sy_connection_api, try_write, 32);
FROZEN(sy_connection_api, write, 40);
FROZEN(sy_connection_api, shutdown_write, 48);
FROZEN(sy_connection_api, cancel, 56);
FROZEN(sy_connection_api, close, 64);
FROZEN(sy_connection_api, describe, 72);
FROZEN(sy_connection_api, detach, 80);
SIZE(sy_connection_api, 88);

FROZEN(sy_connection, api, 0);
SIZE(sy_connection, 8);

FROZEN(sy_loops, struct_size, 0);
FROZEN(sy_loops, count, 4);
FROZEN(sy_loops, current, 8);
FROZEN(sy_loops, now, 16);
FROZEN(sy_loops, post, 24);
FROZEN(sy_loops, start_timer, 32);
FROZEN(sy_loops, stop_timer, 40);
FROZEN(sy_loops, adopt, 48);
SIZE(sy_loops, 56);

FROZEN(sy_threads, struct_size, 0);
FROZEN(sy_threads, reserved, 4);
FROZEN(sy_threads, spawn, 8);
FROZEN(sy_threads, join, 16);
SIZE(sy_threads, 24);

FROZEN(sy_metrics, struct_size, 0);
FROZEN(sy_metrics, reserved, 4);
FROZEN(sy_metrics, counter, 8);
FROZEN(sy_metrics, gauge, 16);
FROZEN(sy_metrics, add, 24);
SIZE(sy_metrics, 32);

FROZEN(sy_dial_options, struct_size, 0);
FROZEN(sy_dial_options, tls, 4);
FROZEN(sy_dial_options, tag, 8);
FROZEN(sy_dial_options, use_certificate, 12);
FROZEN(sy_dial_options, address, 16);
FROZEN(sy_dial_options, alpn, 32);
FROZEN(sy_dial_options, server_name, 48);
FROZEN(sy_dial_options, trust_roots, 64);
FROZEN(sy_dial_options, timeout, 80);
SIZE(sy_dial_options, 88);

FROZEN(sy_dial, struct_size, 0);
FROZEN(sy_dial, reserved, 4);
FROZEN(sy_dial, dial, 8);
FROZEN(sy_dial, cancel, 16);
SIZE(sy_dial, 24);

FROZEN(sy_lease, table, 0);
FROZEN(sy_lease, provider, 8);
FROZEN(sy_lease, host_data, 16);
SIZE(sy_lease, 24);

FROZEN(sy_interfaces, struct_size, 0);
FROZEN(sy_interfaces, reserved, 4);
FROZEN(sy_interfaces, open, 8);
FROZEN(sy_interfaces, close, 16);
FROZEN(sy_interfaces, acquire, 24);
FROZEN(sy_interfaces, release, 32);
SIZE(sy_interfaces, 40);

FROZEN(sy_registrar, struct_size, 0);
FROZEN(sy_registrar, reserved, 4);
FROZEN(sy_registrar, bind, 8);
FROZEN(sy_registrar, unbind, 16);
FROZEN(sy_registrar, exchange, 24);
FROZEN(sy_registrar, end_soon, 32);
SIZE(sy_registrar, 40);

FROZEN(sy_binding, registration, 0);
FROZEN(sy_binding, key, 8);
FROZEN(sy_binding, entry, 24);
FROZEN(sy_binding, entry_size, 32);
SIZE(sy_binding, 40);

FROZEN(sy_journal, struct_size, 0);
FROZEN(sy_journal, reserved, 4);
FROZEN(sy_journal, add, 8);
FROZEN(sy_journal, remove, 16);
FROZEN(sy_journal, enter, 24);
FROZEN(sy_journal, leave, 32);
SIZE(sy_journal, 40);

FROZEN(sy_plugin, magic, 0);
FROZEN(sy_plugin, struct_size, 4);
FROZEN(sy_plugin, abi_major, 8);
FROZEN(sy_plugin, abi_minor, 10);
FROZEN(sy_plugin, flags, 12);
FROZEN(sy_plugin, id, 16);
FROZEN(sy_plugin, version, 24);
FROZEN(sy_plugin, manifest, 32);
FROZEN(sy_plugin, check_config, 40);
FROZEN(sy_plugin, init, 48);
FROZEN(sy_plugin, start, 56);
FROZEN(sy_plugin, activate, 64);
FROZEN(sy_plugin, serve, 72);
FROZEN(sy_plugin, serve_descriptor, 80);
FROZEN(sy_plugin, health, 88);
FROZEN(sy_plugin, drain, 96);
FROZEN(sy_plugin, abort_all, 104);
FROZEN(sy_plugin, stop, 112);
FROZEN(sy_plugin, destroy, 120);
FROZEN(sy_plugin, query, 128);
FROZEN(sy_plugin, quiesce, 136);
FROZEN(sy_plugin, take_over, 144);
SIZE(sy_plugin, 152);

FROZEN(sy_state_sink, struct_size, 0);
FROZEN(sy_state_sink, version, 4);
FROZEN(sy_state_sink, host_data, 8);
FROZEN(sy_state_sink, write, 16);
FROZEN(sy_state_sink, descriptor, 24);
SIZE(sy_state_sink, 32);

FROZEN(sy_state, struct_size, 0);
FROZEN(sy_state, version, 4);
FROZEN(sy_state, data, 8);
FROZEN(sy_state, descriptors, 24);
FROZEN(sy_state, descriptor_count, 32);
SIZE(sy_state, 40);

FROZEN(sy_netrpc_call_api, struct_size, 0);
FROZEN(sy_netrpc_call_api, reserved, 4);
FROZEN(sy_netrpc_call_api, reply, 8);
FROZEN(sy_netrpc_call_api, fail, 16);
FROZEN(sy_netrpc_call_api, drop, 24);
FROZEN(sy_netrpc_call_api, remote, 32);
FROZEN(sy_netrpc_call_api, reject, 40);
SIZE(sy_netrpc_call_api, 48);

FROZEN(sy_netrpc_call, api, 0);
SIZE(sy_netrpc_call, 8);

FROZEN(sy_netrpc_endpoint, struct_size, 0);
FROZEN(sy_netrpc_endpoint, flags, 4);
FROZEN(sy_netrpc_endpoint, context, 8);
FROZEN(sy_netrpc_endpoint, call, 16);
FROZEN(sy_netrpc_endpoint, cancel, 24);
SIZE(sy_netrpc_endpoint, 32);

FROZEN(sy_netrpc_endpoints, registrar, 0);
FROZEN(sy_netrpc_endpoints, invoke, 40);
SIZE(sy_netrpc_endpoints, 48);

FROZEN(sy_netrpc_request, struct_size, 0);
FROZEN(sy_netrpc_request, tls, 4);
FROZEN(sy_netrpc_request, address, 8);
FROZEN(sy_netrpc_request, server_name, 24);
FROZEN(sy_netrpc_request, method, 40);
FROZEN(sy_netrpc_request, body, 56);
FROZEN(sy_netrpc_request, timeout, 72);
SIZE(sy_netrpc_request, 80);

FROZEN(sy_netrpc_client, struct_size, 0);
FROZEN(sy_netrpc_client, reserved, 4);
FROZEN(sy_netrpc_client, call, 8);
FROZEN(sy_netrpc_client, cancel, 16);
SIZE(sy_netrpc_client, 24);

FROZEN(sy_grpc_status, struct_size, 0);
FROZEN(sy_grpc_status, code, 4);
FROZEN(sy_grpc_status, message, 8);
FROZEN(sy_grpc_status, details, 24);
SIZE(sy_grpc_status, 40);

FROZEN(sy_grpc_metadata_entry, key, 0);
FROZEN(sy_grpc_metadata_entry, value, 16);
SIZE(sy_grpc_metadata_entry, 32);

FROZEN(sy_grpc_metadata, entries, 0);
FROZEN(sy_grpc_metadata, count, 8);
SIZE(sy_grpc_metadata, 16);

FROZEN(sy_grpc_call_info, struct_size, 0);
FROZEN(sy_grpc_call_info, external, 4);
FROZEN(sy_grpc_call_info, tls, 8);
FROZEN(sy_grpc_call_info, reserved, 12);
FROZEN(sy_grpc_call_info, deadline, 16);
FROZEN(sy_grpc_call_info, method, 24);
FROZEN(sy_grpc_call_info, authority, 40);
FROZEN(sy_grpc_call_info, remote, 56);
FROZEN(sy_grpc_call_info, server_name, 72);
FROZEN(sy_grpc_call_info, peer_names, 88);
FROZEN(sy_grpc_call_info, metadata, 104);
SIZE(sy_grpc_call_info, 120);

FROZEN(sy_grpc_call_api, struct_size, 0);
FROZEN(sy_grpc_call_api, reserved, 4);
FROZEN(sy_grpc_call_api, describe, 8);
FROZEN(sy_grpc_call_api, send_metadata, 16);
FROZEN(sy_grpc_call_api, send, 24);
FROZEN(sy_grpc_call_api, receive, 32);
FROZEN(sy_grpc_call_api, finish, 40);
SIZE(sy_grpc_call_api, 48);

FROZEN(sy_grpc_call, api, 0);
FROZEN(sy_grpc_call, user, 8);
SIZE(sy_grpc_call, 16);

FROZEN(sy_grpc_method, struct_size, 0);
FROZEN(sy_grpc_method, kind, 4);
FROZEN(sy_grpc_method, name, 8);
FROZEN(sy_grpc_method, context, 24);
FROZEN(sy_grpc_method, call, 32);
SIZE(sy_grpc_method, 40);

FROZEN(sy_grpc_service, struct_size, 0);
FROZEN(sy_grpc_service, flags, 4);
FROZEN(sy_grpc_service, context, 8);
FROZEN(sy_grpc_service, methods, 16);
FROZEN(sy_grpc_service, method_count, 24);
FROZEN(sy_grpc_service, descriptor_set, 32);
FROZEN(sy_grpc_service, cancel, 48);
FROZEN(sy_grpc_service, ended, 56);
SIZE(sy_grpc_service, 64);

FROZEN(sy_grpc_services, registrar, 0);
SIZE(sy_grpc_services, 40);

FROZEN(sy_grpc_channel_options, struct_size, 0);
FROZEN(sy_grpc_channel_options, reserved, 4);
FROZEN(sy_grpc_channel_options, dial, 8);
FROZEN(sy_grpc_channel_options, authority, 16);
FROZEN(sy_grpc_channel_options, max_receive, 32);
FROZEN(sy_grpc_channel_options, max_send, 40);
FROZEN(sy_grpc_channel_options, keepalive, 48);
SIZE(sy_grpc_channel_options, 56);

FROZEN(sy_grpc_request, struct_size, 0);
FROZEN(sy_grpc_request, kind, 4);
FROZEN(sy_grpc_request, method, 8);
FROZEN(sy_grpc_request, metadata, 24);
FROZEN(sy_grpc_request, message, 40);
FROZEN(sy_grpc_request, timeout, 56);
SIZE(sy_grpc_request, 64);

FROZEN(sy_grpc_stream_api, struct_size, 0);
FROZEN(sy_grpc_stream_api, reserved, 4);
FROZEN(sy_grpc_stream_api, send, 8);
FROZEN(sy_grpc_stream_api, finish_sending, 16);
FROZEN(sy_grpc_stream_api, receive, 24);
FROZEN(sy_grpc_stream_api, cancel, 32);
SIZE(sy_grpc_stream_api, 40);

FROZEN(sy_grpc_stream, api, 0);
SIZE(sy_grpc_stream, 8);

FROZEN(sy_grpc_events, struct_size, 0);
FROZEN(sy_grpc_events, reserved, 4);
FROZEN(sy_grpc_events, metadata, 8);
FROZEN(sy_grpc_events, ended, 16);
SIZE(sy_grpc_events, 24);

FROZEN(sy_grpc_client, struct_size, 0);
FROZEN(sy_grpc_client, reserved, 4);
FROZEN(sy_grpc_client, open, 8);
FROZEN(sy_grpc_client, close, 16);
FROZEN(sy_grpc_client, call, 24);
FROZEN(sy_grpc_client, unary, 32);
SIZE(sy_grpc_client, 40);

FROZEN(sy_raft_entry, index, 0);
FROZEN(sy_raft_entry, term, 8);
FROZEN(sy_raft_entry, data, 16);
FROZEN(sy_raft_entry, extensions, 32);
SIZE(sy_raft_entry, 48);

FROZEN(sy_raft_results, struct_size, 0);
FROZEN(sy_raft_results, reserved, 4);
FROZEN(sy_raft_results, provider_data, 8);
FROZEN(sy_raft_results, set, 16);
SIZE(sy_raft_results, 24);

FROZEN(sy_raft_sink, struct_size, 0);
FROZEN(sy_raft_sink, reserved, 4);
FROZEN(sy_raft_sink, provider_data, 8);
FROZEN(sy_raft_sink, write, 16);
SIZE(sy_raft_sink, 24);

FROZEN(sy_raft_source, struct_size, 0);
FROZEN(sy_raft_source, reserved, 4);
FROZEN(sy_raft_source, provider_data, 8);
FROZEN(sy_raft_source, read, 16);
SIZE(sy_raft_source, 24);

FROZEN(sy_raft_leadership, struct_size, 0);
FROZEN(sy_raft_leadership, role, 4);
FROZEN(sy_raft_leadership, term, 8);
FROZEN(sy_raft_leadership, id, 16);
FROZEN(sy_raft_leadership, address, 32);
SIZE(sy_raft_leadership, 48);

FROZEN(sy_raft_machine, struct_size, 0);
FROZEN(sy_raft_machine, flags, 4);
FROZEN(sy_raft_machine, context, 8);
FROZEN(sy_raft_machine, applied, 16);
FROZEN(sy_raft_machine, apply, 24);
FROZEN(sy_raft_machine, capture, 32);
FROZEN(sy_raft_machine, write, 40);
FROZEN(sy_raft_machine, release, 48);
FROZEN(sy_raft_machine, restore, 56);
FROZEN(sy_raft_machine, restored, 64);
FROZEN(sy_raft_machine, leadership, 72);
FROZEN(sy_raft_machine, placed, 80);
SIZE(sy_raft_machine, 88);

FROZEN(sy_raft_change, struct_size, 0);
FROZEN(sy_raft_change, kind, 4);
FROZEN(sy_raft_change, id, 8);
FROZEN(sy_raft_change, address, 24);
FROZEN(sy_raft_change, previous_index, 40);
SIZE(sy_raft_change, 48);

FROZEN(sy_raft_server, id, 0);
FROZEN(sy_raft_server, address, 16);
FROZEN(sy_raft_server, voter, 32);
FROZEN(sy_raft_server, reserved, 36);
SIZE(sy_raft_server, 40);

FROZEN(sy_raft_state, struct_size, 0);
FROZEN(sy_raft_state, role, 4);
FROZEN(sy_raft_state, id, 8);
FROZEN(sy_raft_state, address, 24);
FROZEN(sy_raft_state, leader_id, 40);
FROZEN(sy_raft_state, leader_address, 56);
FROZEN(sy_raft_state, term, 72);
FROZEN(sy_raft_state, last_index, 80);
FROZEN(sy_raft_state, first_index, 88);
FROZEN(sy_raft_state, commit_index, 96);
FROZEN(sy_raft_state, applied_index, 104);
FROZEN(sy_raft_state, snapshot_index, 112);
FROZEN(sy_raft_state, configuration_index, 120);
FROZEN(sy_raft_state, configuration_committed, 128);
FROZEN(sy_raft_state, machine, 132);
FROZEN(sy_raft_state, servers, 136);
FROZEN(sy_raft_state, server_count, 144);
SIZE(sy_raft_state, 152);

FROZEN(sy_raft_consensus, registrar, 0);
FROZEN(sy_raft_consensus, propose, 40);
FROZEN(sy_raft_consensus, barrier, 48);
FROZEN(sy_raft_consensus, verify, 56);
FROZEN(sy_raft_consensus, change, 64);
FROZEN(sy_raft_consensus, transfer, 72);
FROZEN(sy_raft_consensus, snapshot, 80);
FROZEN(sy_raft_consensus, durable, 88);
FROZEN(sy_raft_consensus, state, 96);
FROZEN(sy_raft_consensus, bootstrap, 104);
FROZEN(sy_raft_consensus, recover, 112);
SIZE(sy_raft_consensus, 120);
