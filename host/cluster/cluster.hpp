#pragma once

#include <switchyard/interfaces.h>

#include <host/control/reply.hpp>
#include <host/services/interfaces.hpp>

#include <functional>
#include <string_view>

namespace switchyard::host {

/// The requests `cluster.…` of the command line, put to whatever plugin provides
/// switchyard.raft.consensus/1. The thread of the control socket. Shapes: host/control/README.md.
class Cluster {
public:
  /// Runs something on that thread later, or never once it has ended. Any thread.
  using Post = std::function<void(std::function<void()>)>;

  Cluster(Interfaces& interfaces, Post post);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  /// `what` is what follows "cluster.".
  [[nodiscard]] ControlReply answer(std::string_view what, const boost::json::object& request);

private:
  const Post post_;
  sy_interface* raft_;
};

} // namespace switchyard::host
