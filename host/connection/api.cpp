#include <switchyard/version.h>

#include <host/connection/api.hpp>
#include <host/connection/connection.hpp>

namespace switchyard::host {

namespace {

Connection& from(sy_connection* connection) {
  return *static_cast<Connection*>(connection);
}

sy_status try_read(sy_connection* c, void* buffer, std::size_t capacity, std::size_t* transferred) {
  return from(c).try_read(buffer, capacity, *transferred);
}

sy_status wait_readable(sy_connection* c, sy_io_done done, void* context) {
  return from(c).wait_readable(done, context);
}

sy_status
read_some(sy_connection* c, void* buffer, std::size_t capacity, sy_io_done done, void* context) {
  if (buffer == nullptr || capacity == 0) return SY_INVALID;
  return from(c).read_some(buffer, capacity, done, context);
}

sy_status
try_write(sy_connection* c, const sy_bytes* slices, std::size_t count, std::size_t* transferred) {
  return from(c).try_write(slices, count, *transferred);
}

sy_status
write(sy_connection* c, const sy_bytes* slices, std::size_t count, sy_io_done done, void* context) {
  return from(c).write(slices, count, done, context);
}

sy_status shutdown_write(sy_connection* c) {
  return from(c).shutdown_write();
}

void cancel(sy_connection* c) {
  from(c).cancel();
}

void close(sy_connection* c, sy_close_reason reason) {
  from(c).close(
      reason <= SY_CLOSE_INTERNAL ? static_cast<CloseReason>(reason) : CloseReason::Internal);
}

sy_status describe(sy_connection* c, sy_connection_info* info) {
  if (!SY_HAS(info, sy_connection_info, local)) return SY_INVALID;
  from(c).describe(*info);
  return SY_OK;
}

sy_status detach(sy_connection* c, sy_descriptor* descriptor) {
  if (!SY_HAS(descriptor, sy_descriptor, id)) return SY_INVALID;
  return from(c).detach(*descriptor);
}

} // namespace

const sy_connection_api kConnectionApi{
    sizeof(sy_connection_api),
    0,
    try_read,
    wait_readable,
    read_some,
    try_write,
    write,
    shutdown_write,
    cancel,
    close,
    describe,
    detach};

} // namespace switchyard::host
