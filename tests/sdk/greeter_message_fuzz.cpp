extern "C" {
#include <sdk/example/grpc_greeter/message.h>
}

#include <cstddef>
#include <cstdint>
#include <cstdlib>

// Whatever is read as a request makes a greeting that is a message with one field.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  greeter_request request;
  if (greeter_request_read({data, size}, &request) == 0) return 0;
  unsigned char message[GREETER_GREETING_MAX];
  const auto written = greeter_greeting_write(&request, message);
  if (written > sizeof message || written < request.name_size + 10) std::abort();
  greeter_request again;
  const auto fits = request.name_size + 8 <= GREETER_NAME_MAX;
  if ((greeter_request_read({message, written}, &again) != 0) != fits) std::abort();
  if (fits && again.name_size != request.name_size + 8) std::abort();
  return 0;
}
