// Calls the Echo service of tests/peer/grpc_echo with gRPC's C++ library until its standard input
// ends:
//
//   interop_grpc_load ADDRESS IN_FLIGHT STREAM_MS
//
// IN_FLIGHT unary calls are under way at any time, and one chat, which is opened anew after
// STREAM_MS. Checks every answer. On each line of its standard input, and at the end, prints what
// it saw since the one before as a line of JSON:
//
//   {"calls": 1, "errors": ["…"], "p999_ms": 1.0, "worst_ms": 1.0}        of the unary calls; the
//   chats' errors as well
#include <grpcpp/alarm.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr std::chrono::seconds kLimit{30}; // of one call
constexpr std::chrono::milliseconds kBetweenWords{20};
constexpr std::size_t kErrorsMax = 20;

/// What has been seen since the last report. Any thread.
class Account {
public:
  void call(Milliseconds took) {
    const std::lock_guard lock{mutex_};
    took_.push_back(took.count());
  }

  void error(std::string text) {
    const std::lock_guard lock{mutex_};
    if (errors_.size() < kErrorsMax) errors_.push_back(std::move(text));
  }

  void report() {
    const std::lock_guard lock{mutex_};
    std::ranges::sort(took_);
    const auto at = [this](double share) {
      return took_.empty()
                 ? 0
                 : took_[static_cast<std::size_t>(share * static_cast<double>(took_.size() - 1))];
    };
    std::printf("{\"calls\": %zu, \"errors\": [", took_.size());
    for (const char* comma = ""; auto& text : errors_) {
      std::ranges::replace_if(
          text, [](char c) { return c == '"' || c == '\\' || c < ' '; }, '\'');
      std::printf("%s\"%s\"", std::exchange(comma, ", "), text.c_str());
    }
    std::printf("], \"p999_ms\": %.3f, \"worst_ms\": %.3f}\n", at(0.999), at(1));
    std::fflush(stdout);
    took_.clear();
    errors_.clear();
  }

private:
  std::mutex mutex_;
  std::vector<double> took_;
  std::vector<std::string> errors_;
};

/// How many go on, until they are told to end.
class Running {
public:
  void begin() {
    const std::lock_guard lock{mutex_};
    ++running_;
  }

  /// Whether the one who asks is to go on; otherwise it has ended.
  bool goes_on() {
    const std::lock_guard lock{mutex_};
    if (!over_) return true;
    if (--running_ == 0) none_.notify_all();
    return false;
  }

  void end() {
    std::unique_lock lock{mutex_};
    over_ = true;
    none_.wait(lock, [this] { return running_ == 0; });
  }

private:
  std::mutex mutex_;
  std::condition_variable none_;
  int running_ = 0;
  bool over_ = false;
};

struct Load {
  explicit Load(const std::string& address)
      : stub{grpc::CreateChannel(address, grpc::InsecureChannelCredentials())} {}

  grpc::GenericStub stub;
  Account account;
  Running running;
};

// A message whose one field, number 1, is `payload` of less than 128 bytes (protobuf's encoding of
// bytes).
grpc::ByteBuffer message(std::string_view payload) {
  std::string bytes{'\x0a', static_cast<char>(payload.size())};
  const grpc::Slice slice{bytes.append(payload)};
  return {&slice, 1};
}

std::string bytes_of(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  for (const auto& slice : slices)
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

std::string text_of(const grpc::Status& status) {
  return std::to_string(status.error_code()) + " " + status.error_message();
}

/// One place among the unary calls: a call after the other.
class Place {
public:
  Place(Load& load, int number) : load_{load}, number_{number} {}

  void start() {
    call_ = std::make_unique<Call>();
    call_->request = message(std::to_string(number_) + "." + std::to_string(made_++));
    call_->context.set_deadline(std::chrono::system_clock::now() + kLimit);
    call_->context.set_wait_for_ready(true);
    load_.stub.UnaryCall(
        &call_->context,
        "/switchyard.test.v1.Echo/Unary",
        grpc::StubOptions{},
        &call_->request,
        &call_->reply,
        [this](const grpc::Status& status) { done(status); });
  }

private:
  struct Call {
    grpc::ClientContext context;
    grpc::ByteBuffer request;
    grpc::ByteBuffer reply;
    Clock::time_point begun = Clock::now();
  };

  void done(const grpc::Status& status) {
    if (!status.ok()) {
      load_.account.error("unary: " + text_of(status));
    } else if (bytes_of(call_->reply) != bytes_of(call_->request)) {
      load_.account.error("unary: another answer");
    } else {
      load_.account.call(Clock::now() - call_->begun);
    }
    if (load_.running.goes_on()) start();
  }

  Load& load_;
  const int number_;
  int made_ = 0;
  std::unique_ptr<Call> call_;
};

/// One chat after the other: a word, its echo, a pause.
class Chat {
public:
  Chat(Load& load, std::chrono::milliseconds lasts) : load_{load}, lasts_{lasts} {}

  void start() { new Stream{*this}; }

private:
  class Stream : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
  public:
    explicit Stream(Chat& chat) : chat_{chat} {
      context_.set_wait_for_ready(true);
      chat_.load_.stub.PrepareBidiStreamingCall(
          &context_, "/switchyard.test.v1.Echo/Chat", grpc::StubOptions{}, this);
      StartRead(&reply_);
      say();
      StartCall();
    }

    void OnReadDone(bool good) override {
      if (!good) return;
      if (bytes_of(reply_) != bytes_of(word_)) chat_.load_.account.error("chat: another answer");
      StartRead(&reply_);
      AddHold();
      pause_.Set(std::chrono::system_clock::now() + kBetweenWords, [this](bool) {
        Clock::now() < begun_ + chat_.lasts_ ? say() : StartWritesDone();
        RemoveHold();
      });
    }

    void OnDone(const grpc::Status& status) override {
      if (!status.ok()) chat_.load_.account.error("chat: " + text_of(status));
      auto& chat = chat_;
      delete this;
      if (chat.load_.running.goes_on()) chat.start();
    }

  private:
    void say() {
      word_ = message(std::to_string(++said_));
      StartWrite(&word_);
    }

    Chat& chat_;
    const Clock::time_point begun_ = Clock::now();
    grpc::ClientContext context_;
    grpc::ByteBuffer word_;
    grpc::ByteBuffer reply_;
    grpc::Alarm pause_;
    int said_ = 0;
  };

  Load& load_;
  const std::chrono::milliseconds lasts_;
};

} // namespace

int main(int argc, char** argv) {
  const auto in_flight = argc == 4 ? std::atoi(argv[2]) : 0;
  const auto stream = argc == 4 ? std::atoi(argv[3]) : 0;
  if (in_flight <= 0 || stream <= 0) {
    std::fputs("usage: interop_grpc_load ADDRESS IN_FLIGHT STREAM_MS\n", stderr);
    return 2;
  }
  Load load{argv[1]};
  std::vector<std::unique_ptr<Place>> places;
  for (int number = 0; number < in_flight; ++number) {
    load.running.begin();
    places.push_back(std::make_unique<Place>(load, number));
    places.back()->start();
  }
  Chat chat{load, std::chrono::milliseconds{stream}};
  load.running.begin();
  chat.start();

  for (std::string line; std::getline(std::cin, line);)
    load.account.report();
  load.running.end();
  load.account.report();
  return 0;
}
