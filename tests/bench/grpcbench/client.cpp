// Load for a gRPC server with switchyard.test.v1.Echo/Unary; checks every answer, prints one line
// of JSON, exits with 1 when a call failed.
//
//   grpcbench-client unary ADDRESS PID IN_FLIGHT SECONDS   calls on as few as 4 connections
//   grpcbench-client churn ADDRESS PID IN_FLIGHT SECONDS   a new connection for every call
//   grpcbench-client count ADDRESS PID CALLS               one call at a time
//   grpcbench-client idle ADDRESS PID CONNECTIONS          memory of connections that were used
//   once
//
// PID is the server: its processor time and memory are read from /proc.
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <echo.grpc.pb.h>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace {

using namespace switchyard::test::v1;
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr int kConnections = 4;
constexpr auto kWarmUp = std::chrono::seconds{1};
constexpr std::size_t kPayload = 100; // bytes
constexpr int kFailuresMax = 100;

std::shared_ptr<grpc::Channel> connect(const std::string& address) {
  static int number = 0;
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1); // a connection of its own
  arguments.SetInt("switchyard.number", ++number);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

/// Processor time of a process so far, in seconds, user and system.
double cpu_of(int pid) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/stat"};
  std::string text{std::istreambuf_iterator<char>{file}, {}};
  const auto end_of_name = text.rfind(')');
  if (end_of_name == text.npos) return 0;
  std::istringstream fields{text.substr(end_of_name + 2)};
  std::string field;
  double ticks = 0;
  for (int number = 3; number <= 15 && fields >> field; ++number) {
    if (number >= 14) ticks += std::atof(field.c_str());
  }
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

long resident_kib(int pid) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/smaps_rollup"};
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with("Rss:")) return std::atol(line.c_str() + 4);
  }
  return 0;
}

struct Call {
  std::shared_ptr<grpc::Channel> channel;
  std::size_t slot;
  Clock::time_point begun = Clock::now();
  grpc::ClientContext context;
  grpc::Status status;
  EchoReply reply;
  std::unique_ptr<grpc::ClientAsyncResponseReader<EchoReply>> reader;
};

/// A closed loop: as many calls as there are in flight, each followed by the next one.
class Load {
public:
  Load(std::string address, int pid, bool churn)
      : address_{std::move(address)}, pid_{pid}, churn_{churn} {
    request_.set_payload(std::string(kPayload, 'x'));
  }

  /// True when no call failed.
  bool run(std::size_t in_flight, Seconds measured) {
    if (!churn_) {
      for (std::size_t i = 0; i < std::min<std::size_t>(in_flight, kConnections); ++i)
        channels_.push_back(connect(address_));
    }
    const auto begin = Clock::now();
    auto from = begin + kWarmUp;
    const auto until = from + std::chrono::duration_cast<Clock::duration>(measured);
    double cpu = 0;
    bool warm = false;
    for (std::size_t slot = 0; slot < in_flight; ++slot)
      start(slot);

    double cpu_used = 0;
    auto stopped = until;
    bool stopping = false;
    std::size_t running = in_flight;
    void* tag = nullptr;
    bool good = false;
    while (running > 0 && queue_.Next(&tag, &good)) {
      const std::unique_ptr<Call> call{static_cast<Call*>(tag)};
      const auto now = Clock::now();
      if (!warm && now >= from) {
        warm = true;
        from = now;
        cpu = cpu_of(pid_);
        latencies_.clear();
      }
      take(*call, now);
      if (!stopping && (now >= until || failures_ >= kFailuresMax)) {
        stopping = true;
        stopped = now;
        cpu_used = cpu_of(pid_) - cpu;
        counted_ = latencies_.size();
      }
      if (stopping) {
        --running;
      } else {
        start(call->slot);
      }
    }
    print(Seconds{stopped - from}.count(), cpu_used);
    return failures_ == 0;
  }

private:
  void start(std::size_t slot) {
    auto call = std::make_unique<Call>();
    call->slot = slot;
    call->channel = churn_ ? connect(address_) : channels_[slot % channels_.size()];
    auto stub = Echo::NewStub(call->channel);
    call->reader = stub->AsyncUnary(&call->context, request_, &queue_);
    auto* started = call.release();
    started->reader->Finish(&started->reply, &started->status, started);
  }

  void take(const Call& call, Clock::time_point now) {
    if (call.status.ok() && call.reply.payload() == request_.payload()) {
      latencies_.push_back(std::chrono::duration<double, std::micro>{now - call.begun}.count());
    } else {
      ++failures_;
      failure_ = call.status.error_message();
    }
  }

  void print(double seconds, double cpu_used) {
    latencies_.resize(std::min(counted_, latencies_.size()));
    std::ranges::sort(latencies_);
    const auto part = [this](double share) {
      if (latencies_.empty()) return 0.0;
      return latencies_[static_cast<std::size_t>(
          share * static_cast<double>(latencies_.size() - 1))];
    };
    const auto calls = static_cast<double>(latencies_.size());
    std::printf(
        "{\"per_s\": %.1f, \"server_cpu_us\": %.3f, \"p50_us\": %.1f, \"p99_us\": %.1f, "
        "\"failed\": %d, "
        "\"failure\": \"%s\"}\n",
        calls / seconds,
        calls > 0 ? cpu_used * 1e6 / calls : 0.0,
        part(0.5),
        part(0.99),
        failures_,
        failure_.c_str());
  }

  const std::string address_;
  const int pid_;
  const bool churn_;
  grpc::CompletionQueue queue_;
  EchoRequest request_;
  std::vector<std::shared_ptr<grpc::Channel>> channels_;
  std::vector<double> latencies_; // of the measured calls that succeeded, in microseconds
  std::size_t counted_ = 0;
  int failures_ = 0;
  std::string failure_;
};

/// One call on `channel`, waited for.
bool call(const std::shared_ptr<grpc::Channel>& channel) {
  grpc::ClientContext context;
  EchoRequest request;
  request.set_payload(std::string(kPayload, 'x'));
  EchoReply reply;
  const auto status = Echo::NewStub(channel)->Unary(&context, request, &reply);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.error_message().c_str());
  return status.ok() && reply.payload() == request.payload();
}

bool count(const std::string& address, int calls) {
  const auto channel = connect(address);
  for (int i = 0; i < calls; ++i) {
    if (!call(channel)) return false;
  }
  std::printf("{\"calls\": %d}\n", calls);
  return true;
}

bool idle(const std::string& address, int pid, int connections) {
  std::vector<std::shared_ptr<grpc::Channel>> held{connect(address)};
  if (!call(held.back())) return false; // what the first one makes, it makes for all
  const auto before = resident_kib(pid);
  for (int i = 0; i < connections; ++i) {
    held.push_back(connect(address));
    if (!call(held.back())) return false;
  }
  std::printf(
      "{\"kib_per_connection\": %.2f}\n",
      static_cast<double>(resident_kib(pid) - before) / connections);
  return true;
}

} // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words{argv + 1, argv + argc};
  const auto is = [&](const char* mode, std::size_t size) {
    return words.size() == size && words[0] == mode;
  };
  if (words.size() < 4 || !words[1].starts_with("127.")) {
    std::fputs(
        "usage: grpcbench-client unary|churn|count|idle 127.x.x.x:PORT PID NUMBER [SECONDS]\n",
        stderr);
    return 2;
  }
  const auto& address = words[1];
  const int pid = std::atoi(words[2].c_str());
  const int number = std::max(1, std::atoi(words[3].c_str()));
  if (is("unary", 5) || is("churn", 5)) {
    Load load{address, pid, words[0] == "churn"};
    return load.run(static_cast<std::size_t>(number), Seconds{std::atof(words[4].c_str())}) ? 0 : 1;
  }
  if (is("count", 4)) return count(address, number) ? 0 : 1;
  if (is("idle", 4)) return idle(address, pid, number) ? 0 : 1;
  return 2;
}
