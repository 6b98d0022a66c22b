#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace switchyard::grpc::test {

/// The client of client.cpp, in a process of its own.
class ClientProcess {
public:
  /// Starts to call the server at 127.0.0.1:`port`.
  explicit ClientProcess(std::uint16_t port);

  /// Kills it when it has not ended.
  ~ClientProcess();
  ClientProcess(const ClientProcess&) = delete;
  ClientProcess& operator=(const ClientProcess&) = delete;

  struct Report {
    std::map<std::string, std::uint64_t> counts;
    std::vector<std::string> failures; ///< the first ones
    bool whole = false;                ///< it has ended by itself, in time
  };

  /// Has it finish its calls; what it has seen.
  [[nodiscard]] Report finish();

private:
  pid_t process_ = -1;
  int input_ = -1;
  int output_ = -1;
};

} // namespace switchyard::grpc::test
