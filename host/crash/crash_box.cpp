#include <host/crash/boundary.hpp>
#include <host/crash/crash_box.hpp>

#include <sys/syscall.h>
#include <sys/uio.h>

#include <array>
#include <atomic>
#include <charconv>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <pthread.h>
#include <tuple>
#include <ucontext.h>
#include <unistd.h>
#include <utility>

namespace switchyard::host {

namespace {

constexpr std::array kFatal{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP};
constexpr std::size_t kSlots = 256;
constexpr std::size_t kStackLooked = 16'384; // bytes from the top that are looked through for calls

/// Filled once its `end` is not 0; never freed, for a handler may look at any time.
struct Slot {
  std::atomic<bool> taken{false};
  std::atomic<std::uintptr_t> begin{0};
  std::atomic<std::uintptr_t> end{0};
  std::uint32_t generation = 0;
  char plugin[72] = "";
  char sha256[72] = "";
};

std::array<Slot, kSlots> slots;
std::array<struct sigaction, 65> before; // what the handler gives way to
std::atomic<int> record{-1};
std::atomic<bool> reporting{false};

void keep(char (&into)[72], std::string_view text) noexcept {
  into[text.copy(into, sizeof into - 1)] = '\0';
}

/// Text put together without memory, for signal handlers; source: signal-safety(7).
class Line {
public:
  Line& operator<<(std::string_view text) noexcept {
    size_ += text.copy(text_ + size_, sizeof text_ - size_);
    return *this;
  }

  Line& operator<<(std::uint64_t number) noexcept { return add(number, 10); }

  Line& hex(std::uint64_t number) noexcept { return (*this << "0x").add(number, 16); }

  void write_to(int descriptor) const noexcept {
    static_cast<void>(!::write(descriptor, text_, size_)); // nobody is left to tell
  }

private:
  Line& add(std::uint64_t number, int base) noexcept {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, number, base).ptr;
    return *this << std::string_view{digits, static_cast<std::size_t>(end - digits)};
  }

  char text_[1024];
  std::size_t size_ = 0;
};

const Slot* owner_of(std::uintptr_t address) noexcept {
  for (const auto& slot : slots) {
    if (address >= slot.begin && address < slot.end) return &slot;
  }
  return nullptr;
}

std::pair<std::uintptr_t, std::uintptr_t> counter_and_stack(const ucontext_t& context) noexcept {
#if defined(__x86_64__)
  return {
      static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_RIP]),
      static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_RSP])};
#elif defined(__aarch64__)
  return {context.uc_mcontext.pc, context.uc_mcontext.sp};
#else
  return {0, 0};
#endif
}

/// The plugin that has called, at some depth, what runs: the first address of its code on the
/// stack. The kernel copies, so that the end of the stack is no second crash.
std::pair<const Slot*, std::uintptr_t> caller_on(std::uintptr_t stack) noexcept {
  static std::array<std::uintptr_t, kStackLooked / sizeof(std::uintptr_t)> words;
  constexpr std::size_t kPiece = 1024;
  for (std::size_t at = 0; at < kStackLooked; at += kPiece) {
    iovec to{reinterpret_cast<char*>(words.data()) + at, kPiece};
    iovec from{reinterpret_cast<void*>(stack + at), kPiece};
    const auto got = ::syscall(SYS_process_vm_readv, ::getpid(), &to, 1, &from, 1, 0);
    if (got <= 0) return {nullptr, 0};
    const auto first = at / sizeof(std::uintptr_t);
    const auto count = static_cast<std::size_t>(got) / sizeof(std::uintptr_t);
    for (std::size_t i = first; i < first + count; ++i) {
      if (const auto* slot = owner_of(words[i])) return {slot, words[i]};
    }
    if (static_cast<std::size_t>(got) < kPiece) return {nullptr, 0};
  }
  return {nullptr, 0};
}

std::string_view name_of(int signal) noexcept {
  switch (signal) {
  case SIGSEGV: return "SIGSEGV";
  case SIGBUS: return "SIGBUS";
  case SIGFPE: return "SIGFPE";
  case SIGILL: return "SIGILL";
  case SIGABRT: return "SIGABRT";
  default: return "SIGTRAP";
  }
}

void report(int signal, const ucontext_t& context) noexcept {
  const auto [counter, stack] = counter_and_stack(context);
  const auto* slot = owner_of(counter);
  auto address = counter;
  if (slot == nullptr) std::tie(slot, address) = caller_on(stack);
  const auto in_it = slot != nullptr && address == counter;
  const auto boundary = current_boundary;

  char thread[16] = "";
  ::pthread_getname_np(::pthread_self(), thread, sizeof thread);
  Line line;
  line << "switchyard: crashed signal=" << static_cast<std::uint64_t>(signal) << " ("
       << name_of(signal) << ") thread=" << thread;
  if (slot != nullptr) {
    line << (in_it ? " in plugin " : " in a call of plugin ") << slot->plugin << " generation "
         << slot->generation << " at offset ";
    line.hex(address - slot->begin) << " sha256=" << slot->sha256;
  } else {
    line << " outside of every plugin at ";
    line.hex(counter);
  }
  if (boundary.function.empty()) {
    line << "; no call into a plugin was under way on this thread\n";
  } else {
    line << "; last call into a plugin: " << boundary.function << " of plugin " << boundary.plugin
         << "\n";
  }
  line.write_to(STDERR_FILENO);

  Line kept;
  kept << "plugin=" << (slot != nullptr ? std::string_view{slot->plugin} : std::string_view{})
       << " generation=" << (slot != nullptr ? slot->generation : 0U)
       << " sha256=" << (slot != nullptr ? std::string_view{slot->sha256} : std::string_view{})
       << " signal=" << static_cast<std::uint64_t>(signal) << " function=" << boundary.function
       << "\n";
  kept.write_to(record);
}

void handle(int signal, siginfo_t* info, void* context) {
  if (!reporting.exchange(true)) report(signal, *static_cast<const ucontext_t*>(context));
  // As if this had not been here: the instruction is met again, or the signal sent again.
  ::sigaction(signal, &before[static_cast<std::size_t>(signal)], nullptr);
  if (info->si_code <= 0) ::raise(signal);
}

} // namespace

LoadedCode::LoadedCode(
    const void* begin,
    std::size_t size,
    std::string_view plugin,
    std::uint32_t generation,
    std::string_view sha256) noexcept
    : slot_{nullptr} {
  for (auto& slot : slots) {
    if (slot.taken.exchange(true)) continue;
    slot.generation = generation;
    keep(slot.plugin, plugin);
    keep(slot.sha256, sha256);
    slot.begin = reinterpret_cast<std::uintptr_t>(begin);
    slot.end = slot.begin + size;
    slot_ = &slot;
    return;
  }
}

LoadedCode::LoadedCode(LoadedCode&& other) noexcept : slot_{std::exchange(other.slot_, nullptr)} {}

LoadedCode::~LoadedCode() {
  if (slot_ == nullptr) return;
  auto& slot = *static_cast<Slot*>(slot_);
  slot.end = 0;
  slot.taken = false;
}

bool install_crash_box(const std::string& file) {
  const int made = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (made < 0) return false;
  if (const int old = record.exchange(made); old >= 0) ::close(old);

  struct sigaction action {};

  action.sa_sigaction = &handle;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (const int signal : kFatal)
    ::sigaction(signal, &action, &before[static_cast<std::size_t>(signal)]);
  return true;
}

std::optional<CrashRecord> parse_crash_record(std::string_view text) {
  CrashRecord crash;
  const auto field = [&text](std::string_view key, std::string_view end) {
    const auto begins = text.starts_with(key);
    text.remove_prefix(begins ? key.size() : text.size());
    const auto size = text.find(end);
    if (!begins || size == text.npos) {
      text = {};
      return std::optional<std::string>{};
    }
    std::optional<std::string> value{text.substr(0, size)};
    text.remove_prefix(size + end.size());
    return value;
  };
  const auto number = [](const std::optional<std::string>& digits, auto& into) {
    if (!digits) return false;
    const auto [end, error] =
        std::from_chars(digits->data(), digits->data() + digits->size(), into);
    return error == std::errc{} && end == digits->data() + digits->size();
  };
  const auto plugin = field("plugin=", " ");
  const auto generation = field("generation=", " ");
  const auto sha256 = field("sha256=", " ");
  const auto signal = field("signal=", " ");
  const auto function = field("function=", "\n");
  if (!function || !text.empty() || !number(generation, crash.generation) ||
      !number(signal, crash.signal))
    return std::nullopt;
  crash.plugin = *plugin;
  crash.sha256 = *sha256;
  crash.function = *function;
  return crash;
}

std::optional<CrashRecord> take_crash_record(const std::string& file) {
  std::ifstream input{file, std::ios::binary};
  std::string text(1024, '\0');
  input.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(input.gcount()));
  ::unlink(file.c_str());
  return parse_crash_record(text);
}

} // namespace switchyard::host
