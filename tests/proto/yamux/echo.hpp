#pragma once

#include "frames.hpp"

#include <proto/yamux/session.hpp>

#include <map>

namespace switchyard::yamux::test {

/// An application that accepts every stream, sends back what it gets and finishes after its peer.
/// Keeps a log in which pieces of one stream that follow each other are one line, so that the log
/// does not depend on how the input was split.
class Echo final : public Events {
public:
  explicit Echo(Session& session) : session_{session} {}

  void on_open(std::uint32_t stream) override {
    line("open", stream);
    session_.accept(stream);
  }

  void on_data(std::uint32_t stream, std::span<const std::byte> piece) override {
    if (last_data_ != stream) line("data", stream);
    last_data_ = stream;
    log_ += text(piece);
    // Byte by byte, so that nothing depends on the size of the piece.
    for (const auto& byte : piece) {
      send(stream, std::span{&byte, 1});
      session_.consumed(stream, 1);
    }
  }

  void on_finish(std::uint32_t stream) override {
    line("finish", stream);
    if (session_.is_open(stream) && !waiting_.contains(stream)) session_.finish(stream);
    if (waiting_.contains(stream)) finishing_[stream] = true;
  }

  void on_reset(std::uint32_t stream) override {
    line("reset", stream);
    waiting_.erase(stream);
  }

  void on_writable(std::uint32_t stream) override {
    line("writable", stream);
    auto node = waiting_.extract(stream);
    if (node.empty()) return;
    send(stream, node.mapped());
    if (finishing_[stream] && !waiting_.contains(stream)) session_.finish(stream);
  }

  void on_go_away() override { log_ += "\ngoaway"; }

  /// "open 1\ndata 1 abc\nfinish 1", without a newline at its ends.
  [[nodiscard]] std::string log() const { return log_.empty() ? log_ : log_.substr(1); }

private:
  void line(std::string_view what, std::uint32_t stream) {
    last_data_ = 0;
    log_ += '\n' + std::string{what} + ' ' + std::to_string(stream);
    if (what == "data") log_ += ' ';
  }

  void send(std::uint32_t stream, std::span<const std::byte> bytes) {
    auto& waiting = waiting_[stream];
    std::size_t taken = 0;
    if (waiting.empty()) taken = session_.write(stream, bytes);
    waiting.insert(waiting.end(), bytes.begin() + static_cast<std::ptrdiff_t>(taken), bytes.end());
    if (waiting.empty()) waiting_.erase(stream);
  }

  Session& session_;
  std::string log_;
  std::uint32_t last_data_ = 0;
  std::map<std::uint32_t, Bytes> waiting_; ///< bytes that write() did not take
  std::map<std::uint32_t, bool> finishing_;
};

} // namespace switchyard::yamux::test
