// A plugin in C++ with the wrapper. It has what would keep it in memory, and share its state with
// its next version, if it were exported: a static of an inline function, and make_shared.
#include <switchyard/loops.hpp>
#include <switchyard/metrics.hpp>
#include <switchyard/plugin.hpp>
#include <switchyard/task.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <list>
#include <memory>
#include <optional>
#include <switchyard_manifest.h>
#include <vector>

inline int& configurations_seen() {
  static int seen = 0;
  return seen;
}

namespace {

using namespace switchyard;
using namespace std::chrono_literals;

class Shout {
public:
  Shout(Host host, std::string_view)
      : loops_{host},
        served_{host, "served_total", "Connections taken"},
        per_loop_{std::make_shared<std::vector<Conversations>>(loops_.count())} {}

  static void check_config(std::string_view config) {
    ++configurations_seen();
    if (config != "{}") throw Failure{SY_INVALID, "this plugin has no settings"};
  }

  void serve(std::uint32_t, Connection connection) {
    served_.add();
    ++open_;
    auto& mine = (*per_loop_)[loops_.current()];
    auto& conversation = mine.emplace_back(*this, mine, std::move(connection));
    conversation.at = std::prev(mine.end());
    conversation.task = conversation.run();
    conversation.task.start(&Conversation::ended, &conversation);
  }

  void drain(std::chrono::nanoseconds, DrainDone done) {
    drained_ = done;
    on_every_loop([](Conversation& conversation) { conversation.connection.cancel(); });
    left(); // the one that the drain itself is
  }

  void abort_all() {
    on_every_loop([](Conversation& conversation) { conversation.connection.cancel(); });
  }

private:
  struct Conversation;
  using Conversations = std::list<Conversation>;

  struct Conversation {
    Conversation(Shout& owner_, Conversations& all_, Connection taken)
        : owner{owner_}, all{all_}, connection{std::move(taken)} {}

    Shout& owner;
    Conversations& all;
    Conversations::iterator at;
    Connection connection;
    Task<> task;

    Task<> run() {
      std::array<std::byte, 256> buffer{};
      for (;;) {
        if ((co_await connection.wait_readable()).error) break;
        const auto read = co_await connection.read_some(buffer);
        if (read.error || read.bytes == 0) break;
        const auto said = std::span{buffer}.first(read.bytes);
        std::ranges::transform(said, said.begin(), [](std::byte c) {
          return static_cast<std::byte>(std::toupper(std::to_integer<int>(c)));
        });
        if ((co_await connection.write(std::span<const std::byte>{said})).error) break;
      }
      connection.close(SY_CLOSE_FINISHED);
    }

    static void ended(void* context, std::exception_ptr) {
      auto& self = *static_cast<Conversation*>(context);
      auto& owner = self.owner;
      self.all.erase(self.at);
      owner.left();
    }
  };

  template <class What>
  void on_every_loop(What what) {
    for (std::uint32_t loop = 0; loop < loops_.count(); ++loop) {
      static_cast<void>(loops_.post(loop, [this, loop, what] {
        for (auto& conversation : (*per_loop_)[loop])
          what(conversation);
      }));
    }
  }

  void left() {
    if (--open_ == 0) (*drained_)();
  }

  Loops loops_;
  Counter served_;
  std::shared_ptr<std::vector<Conversations>> per_loop_;
  std::atomic<int> open_ = 1;
  std::optional<DrainDone> drained_;
};

} // namespace

SY_CPP_PLUGIN(Shout);
