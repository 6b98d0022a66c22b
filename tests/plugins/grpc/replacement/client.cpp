// The client of the replacement test. Keeps 16 unary calls of the held kind and one Ping in flight
// and one stream open until its standard input ends; then says what it has seen. A stream is open
// the whole time: each lives until its generation is two behind the newest, and is ended when the
// next one has been answered.
//
// gRPC repeats no call by itself here, so that each failure is seen. One kind is none of the
// server's: a call that gRPC had not sent yet when it read the GOAWAY. By default gRPC makes such a
// call again and tells nobody; here it is counted as "unsent" and made again.
//
// Usage: grpc_replacement_client PORT
#include <switchyard/status/v1/status.pb.h>

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <iostream>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

using grpc::ByteBuffer;

constexpr int kChannels = 4;
constexpr int kHeldCalls = 16;
constexpr std::uint64_t kStreamSpan = 2; // generations
constexpr std::chrono::seconds kCallLimit{60};
constexpr std::size_t kFailuresShown = 10;

ByteBuffer buffer(const std::string& message) {
  const grpc::Slice slice{message};
  return {&slice, 1};
}

std::string text(const ByteBuffer& message) {
  grpc::Slice slice;
  if (!message.Valid() || !message.DumpToSingleSlice(&slice).ok()) return {};
  return {reinterpret_cast<const char*>(slice.begin()), slice.size()};
}

/// True of a call that has not left this process, and of one that is above the last stream of a
/// GOAWAY, of which the server says first that it is the highest there can be. Source: gRPC 1.51,
/// chttp2_transport.cc, grpc_chttp2_add_incoming_goaway.
bool unsent(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::UNAVAILABLE &&
         status.error_message() == "GOAWAY received";
}

/// What has been seen, and what is still under way. Any thread.
class Account {
public:
  [[nodiscard]] bool stopping() {
    const std::lock_guard lock{mutex_};
    return stopping_;
  }

  void begin() {
    const std::lock_guard lock{mutex_};
    ++open_;
  }

  void end() {
    const std::lock_guard lock{mutex_};
    if (--open_ == 0) changed_.notify_all();
  }

  void count(const std::string& what) {
    const std::lock_guard lock{mutex_};
    ++counts_[what];
  }

  void fail(const std::string& why) {
    const std::lock_guard lock{mutex_};
    ++counts_["failures"];
    if (failures_.size() < kFailuresShown) failures_.push_back(why);
  }

  void fail(const std::string& call, const grpc::Status& status) {
    fail(call + ": " + std::to_string(status.error_code()) + ' ' + status.error_message());
  }

  void stop() {
    std::unique_lock lock{mutex_};
    stopping_ = true;
    changed_.wait(lock, [this] { return open_ == 0; });
  }

  void report() {
    for (const auto& [what, count] : counts_)
      std::cout << what << ' ' << count << '\n';
    for (const auto& why : failures_)
      std::cout << "failure " << why << '\n';
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::size_t open_ = 0;
  std::map<std::string, std::uint64_t> counts_;
  std::vector<std::string> failures_;
};

/// One unary call after the other.
class Chain {
public:
  Chain(Account& account, const std::shared_ptr<grpc::Channel>& channel, std::string name)
      : account_{account}, stub_{channel}, name_{std::move(name)} {
    account_.begin();
  }

  virtual ~Chain() = default;
  Chain(const Chain&) = delete;
  Chain& operator=(const Chain&) = delete;

  void next() {
    request_ = buffer(request());
    begin();
  }

protected:
  virtual std::string request() = 0;

  /// Empty: as it must be.
  virtual std::string judge(const std::string& response) = 0;

  Account& account_;

private:
  void begin() {
    context_.emplace();
    context_->set_deadline(std::chrono::system_clock::now() + kCallLimit);
    stub_.UnaryCall(
        &*context_, name_, {}, &request_, &response_, [this](const grpc::Status& status) {
          ended(status);
        });
  }

  void ended(const grpc::Status& status) {
    if (unsent(status)) {
      account_.count("unsent");
      return begin();
    }
    account_.count("calls");
    if (!status.ok()) {
      account_.fail(name_, status);
    } else if (const auto wrong = judge(text(response_)); !wrong.empty()) {
      account_.fail(name_ + ": " + wrong);
    }
    if (account_.stopping()) return account_.end();
    next();
  }

  grpc::GenericStub stub_;
  const std::string name_;
  std::optional<grpc::ClientContext> context_;
  ByteBuffer request_;
  ByteBuffer response_;
};

/// Calls that the service answers only after others have come.
class Held final : public Chain {
public:
  Held(Account& account, const std::shared_ptr<grpc::Channel>& channel, int number)
      : Chain{account, channel, "/test.Replacement/Hold"}, number_{number} {}

private:
  std::string request() override {
    return std::to_string(number_) + '/' + std::to_string(++sent_) + std::string(200, '.');
  }

  std::string judge(const std::string& response) override {
    account_.count("held");
    const auto expected = std::to_string(number_) + '/' + std::to_string(sent_);
    return response == expected + std::string(200, '.') ? "" : "another answer than " + expected;
  }

  const int number_;
  std::uint64_t sent_ = 0;
};

/// Calls that the plugin answers itself, out of the schema of its version.
class Ping final : public Chain {
public:
  Ping(Account& account, const std::shared_ptr<grpc::Channel>& channel)
      : Chain{account, channel, "/switchyard.status.v1.Status/Ping"} {}

private:
  std::string request() override {
    return switchyard::status::v1::PingRequest{}.SerializeAsString();
  }

  std::string judge(const std::string& response) override {
    switchyard::status::v1::PingResponse ping;
    if (!ping.ParseFromString(response)) return "a response that cannot be read";
    const auto parts = ping.version() == "99.0.0" ? 1 : 0;
    account_.count(parts == 1 ? "pings_next" : "pings_present");
    return ping.parts_size() == parts ? "" : "the schema of another version than " + ping.version();
  }
};

/// Sends a number and gets it back with two others: "GENERATION NEWEST NUMBER".
class Stream final : public grpc::ClientBidiReactor<ByteBuffer, ByteBuffer> {
public:
  /// Set when the stream may end.
  using Leave = std::shared_ptr<std::atomic<bool>>;

  /// `before` is set when this one has been answered. Deletes itself.
  Stream(Account& account, std::shared_ptr<grpc::Channel> channel, Leave before)
      : account_{account}, channel_{std::move(channel)}, before_{std::move(before)} {
    account_.begin();
    grpc::GenericStub{channel_}.PrepareBidiStreamingCall(
        &context_, "/test.Replacement/Follow", {}, this);
    turn();
    StartCall();
  }

private:
  ~Stream() override = default;

  /// One message there and back.
  void turn() {
    awaited_ = 2;
    request_ = buffer(std::to_string(++sent_));
    StartRead(&response_);
    StartWrite(&request_);
  }

  void OnWriteDone(bool ok) override {
    if (ok && --awaited_ == 0) next();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    std::uint64_t generation = 0;
    std::uint64_t newest = 0;
    std::uint64_t number = 0;
    std::istringstream{text(response_)} >> generation >> newest >> number;
    if (number != sent_) account_.fail("stream: another message than " + std::to_string(sent_));
    account_.count("messages");
    span_ = newest - generation;
    *before_ = true;
    answered_ = true;
    if (span_ >= kStreamSpan && !followed_) {
      followed_ = true;
      new Stream{account_, channel_, leave_};
    }
    if (--awaited_ == 0) next();
  }

  void next() {
    if (*leave_ || (account_.stopping() && !followed_)) {
      leaving_ = true;
      StartWritesDone();
    } else {
      turn();
    }
  }

  void OnDone(const grpc::Status& status) override {
    const auto again = unsent(status) && !answered_;
    if (again) {
      account_.count("unsent");
    } else {
      account_.count("streams");
      if (span_ >= kStreamSpan) account_.count("streams_across");
      if (!status.ok()) {
        account_.fail("stream", status);
      } else if (!leaving_) {
        account_.fail("stream: ended before it was to");
      }
    }
    if (again || (!followed_ && !account_.stopping())) new Stream{account_, channel_, before_};
    account_.end();
    delete this;
  }

  Account& account_;
  std::shared_ptr<grpc::Channel> channel_;
  Leave before_;
  const Leave leave_ = std::make_shared<std::atomic<bool>>(false);
  grpc::ClientContext context_;
  ByteBuffer request_;
  ByteBuffer response_;
  std::atomic<int> awaited_; ///< ends of the turn's two operations
  std::uint64_t sent_ = 0;
  std::uint64_t span_ = 0; ///< from its own generation to the newest
  bool answered_ = false;
  bool followed_ = false;
  bool leaving_ = false;
};

std::shared_ptr<grpc::Channel> connect(const std::string& port) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1); // a connection of its own
  return grpc::CreateCustomChannel(
      "ipv4:127.0.0.1:" + port, grpc::InsecureChannelCredentials(), arguments);
}

} // namespace

int main(int, char** argv) {
  Account account;
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (int number = 0; number < kChannels; ++number)
    channels.push_back(connect(argv[1]));

  std::list<std::unique_ptr<Chain>> chains;
  for (int number = 0; number < kHeldCalls; ++number) {
    const auto& channel = channels[static_cast<std::size_t>(number % kChannels)];
    chains.push_back(std::make_unique<Held>(account, channel, number));
  }
  chains.push_back(std::make_unique<Ping>(account, channels.front()));
  for (const auto& chain : chains)
    chain->next();
  new Stream{account, channels.back(), std::make_shared<std::atomic<bool>>()};

  char ignored = 0;
  while (::read(STDIN_FILENO, &ignored, 1) > 0) {
  }
  account.stop();
  account.report();
}
