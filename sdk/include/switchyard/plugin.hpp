#pragma once

#include <switchyard/boundary.hpp>
#include <switchyard/bytes.hpp>
#include <switchyard/connection.hpp>
#include <switchyard/host.hpp>
#include <switchyard/plugin.h>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace switchyard {

/// Tells the host once that a drain is complete. A pointer: copy it. Any thread.
class DrainDone {
public:
  DrainDone(sy_drain_done done, void* context) noexcept : done_{done}, context_{context} {}

  void operator()() const noexcept { done_(context_); }

private:
  sy_drain_done done_;
  void* context_;
};

/// Where quiesce() writes what the next instance goes on from. Throws Failure with SY_LIMIT.
class StateSink {
public:
  explicit StateSink(const sy_state_sink* sink) noexcept : sink_{sink} {}

  /// The format that is wanted.
  [[nodiscard]] std::uint32_t version() const noexcept { return sink_->version; }

  void write(std::span<const std::byte> bytes) const {
    const auto status = sink_->write(sink_, to_c(bytes));
    if (status != SY_OK) throw Failure{status, "what is handed over is too long"};
  }

  /// The host keeps a duplicate.
  void add_descriptor(int descriptor) const {
    const auto status = sink_->descriptor(sink_, descriptor);
    if (status != SY_OK) throw Failure{status, "a descriptor cannot be handed over"};
  }

private:
  const sy_state_sink* sink_;
};

/// What another instance has written, borrowed for take_over().
struct State {
  std::uint32_t version;
  std::span<const std::byte> data;
  std::span<const int> descriptors;
};

/// Makes a plugin of a class. `T` has
///
///     T(Host host, std::string_view config);            // init
///     void serve(std::uint32_t protocol, Connection);   // owns the connection, whatever happens
///     void drain(std::chrono::nanoseconds deadline, DrainDone);
///     void abort_all();
///
/// (the last three only when it serves protocols), or, in the place of that serve,
///
///     sy_status serve(std::uint32_t protocol, Connection&);
///
/// which moves the connection out of there to take it; one that it leaves there is refused, and
/// the host closes it. Then, as far as it needs them
///
///     static void check_config(std::string_view config);
///     void start();  void activate();  void health();  void stop();
///     void serve_descriptor(std::uint32_t protocol, const sy_descriptor&);
///     const void* query(std::string_view interface_id);
///     void quiesce(const StateSink&);  void take_over(const State&);  // when it is exclusive
///
/// with the threads and meanings of sy_plugin. They report by throwing Failure.
template <class T>
class Plugin {
public:
  /// The object behind what the host calls an instance or, in functions of an interface, a
  /// provider. As long as the instance; any thread.
  [[nodiscard]] static T& of(void* provider) noexcept { return held(provider).plugin; }

  /// The host that it was made with, for logged_at_boundary().
  [[nodiscard]] static const Host& host_of(void* provider) noexcept { return held(provider).host; }

  [[nodiscard]] static constexpr sy_plugin
  describe(const char* id, const char* version, const char* manifest) noexcept {
    static_assert(
        std::constructible_from<T, Host, std::string_view>, "T(Host, std::string_view config)");
    static_assert(
        !(kTakes || kMayRefuse) || (requires(T & self, DrainDone done) {
          self.drain(std::chrono::nanoseconds{}, done);
          self.abort_all();
        }),
        "a plugin that serves can drain and abort");
    sy_plugin plugin{};
    plugin.magic = SY_PLUGIN_MAGIC;
    plugin.struct_size = sizeof plugin;
    plugin.abi_major = SY_ABI_MAJOR;
    plugin.abi_minor = SY_ABI_MINOR;
    plugin.id = id;
    plugin.version = version;
    plugin.manifest = manifest;
    if constexpr (requires { T::check_config(std::string_view{}); }) {
      plugin.check_config = &Plugin::check_config;
    }
    plugin.init = &Plugin::init;
    plugin.start = &Plugin::start;
    plugin.activate = &Plugin::activate;
    plugin.serve = &Plugin::serve;
    if constexpr (requires(T & self) { self.serve_descriptor(0u, sy_descriptor{}); }) {
      plugin.serve_descriptor = &Plugin::serve_descriptor;
    }
    plugin.health = &Plugin::health;
    plugin.drain = &Plugin::drain;
    plugin.abort_all = &Plugin::abort_all;
    plugin.stop = &Plugin::stop;
    plugin.destroy = &Plugin::destroy;
    if constexpr (requires(T & self) { self.query(std::string_view{}); }) {
      plugin.query = &Plugin::query;
    }
    if constexpr (requires(T & self) { self.take_over(State{}); }) {
      plugin.quiesce = &Plugin::quiesce;
      plugin.take_over = &Plugin::take_over;
    }
    return plugin;
  }

private:
  static constexpr bool kTakes = requires(T & self, Connection connection) {
    self.serve(0u, std::move(connection));
  };
  static constexpr bool kMayRefuse = requires(T & self, Connection& connection) {
    { self.serve(0u, connection) } -> std::same_as<sy_status>;
  };

  /// What is behind sy_instance.
  struct Held {
    Host host;
    T plugin;

    Held(Host given, std::string_view config) : host{given}, plugin{given, config} {}
  };

  static Held& held(void* instance) noexcept { return *static_cast<Held*>(instance); }

  static sy_status check_config(sy_string config, sy_error* error) noexcept {
    return at_boundary(error, [&] { T::check_config(view(config)); });
  }

  static sy_status
  init(const sy_host* host, sy_string config, sy_instance** instance, sy_error* error) noexcept {
    return at_boundary(error, [&] {
      auto made = std::make_unique<Held>(Host{host}, view(config));
      *instance = reinterpret_cast<sy_instance*>(made.release());
    });
  }

  static sy_status start(sy_instance* instance, sy_error* error) noexcept {
    if constexpr (requires(T & self) { self.start(); }) {
      return at_boundary(error, [&] { of(instance).start(); });
    } else {
      return SY_OK;
    }
  }

  static sy_status activate(sy_instance* instance, sy_error* error) noexcept {
    if constexpr (requires(T & self) { self.activate(); }) {
      return at_boundary(error, [&] { of(instance).activate(); });
    } else {
      return SY_OK;
    }
  }

  static sy_status
  serve(sy_instance* instance, std::uint32_t protocol, sy_connection* connection) noexcept {
    if constexpr (kMayRefuse) {
      Connection offered{connection};
      sy_status status = SY_INTERNAL;
      logged_at_boundary(
          host_of(instance), [&] { status = of(instance).serve(protocol, offered); });
      if (offered.release() == nullptr) return SY_OK; // taken, whatever was thrown since
      return status == SY_OK ? SY_INTERNAL : status;
    } else if constexpr (kTakes) {
      // Whatever is thrown, the connection has been taken, and closed on the way out.
      Connection taken{connection};
      logged_at_boundary(
          host_of(instance), [&] { of(instance).serve(protocol, std::move(taken)); });
      return SY_OK;
    } else {
      return SY_UNSUPPORTED;
    }
  }

  static sy_status serve_descriptor(
      sy_instance* instance, std::uint32_t protocol, const sy_descriptor* descriptor) noexcept {
    return at_boundary([&] { of(instance).serve_descriptor(protocol, *descriptor); });
  }

  static sy_status health(sy_instance* instance, sy_error* error) noexcept {
    if constexpr (requires(T & self) { self.health(); }) {
      return at_boundary(error, [&] { of(instance).health(); });
    } else {
      return SY_OK;
    }
  }

  static sy_status
  drain(sy_instance* instance, std::uint64_t deadline, sy_drain_done done, void* context) noexcept {
    if constexpr (requires(T & self, DrainDone told) {
                    self.drain(std::chrono::nanoseconds{}, told);
                  }) {
      return at_boundary([&] {
        of(instance).drain(
            std::chrono::nanoseconds{static_cast<std::int64_t>(deadline)},
            DrainDone{done, context});
      });
    } else {
      done(context);
      return SY_OK;
    }
  }

  static void abort_all(sy_instance* instance) noexcept {
    if constexpr (requires(T & self) { self.abort_all(); }) {
      logged_at_boundary(host_of(instance), [&] { of(instance).abort_all(); });
    }
  }

  static sy_status stop(sy_instance* instance, sy_error* error) noexcept {
    if constexpr (requires(T & self) { self.stop(); }) {
      return at_boundary(error, [&] { of(instance).stop(); });
    } else {
      return SY_OK;
    }
  }

  static void destroy(sy_instance* instance) noexcept { delete &held(instance); }

  static const void* query(sy_instance* instance, const char* interface_id) noexcept {
    const void* table = nullptr;
    logged_at_boundary(
        host_of(instance), [&] { table = of(instance).query(std::string_view{interface_id}); });
    return table;
  }

  static sy_status
  quiesce(sy_instance* instance, const sy_state_sink* sink, sy_error* error) noexcept {
    return at_boundary(error, [&] { of(instance).quiesce(StateSink{sink}); });
  }

  static sy_status
  take_over(sy_instance* instance, const sy_state* state, sy_error* error) noexcept {
    return at_boundary(error, [&] {
      of(instance).take_over(
          State{state->version, view(state->data), {state->descriptors, state->descriptor_count}});
    });
  }
};

} // namespace switchyard

/// Exports class `Type` as the plugin, with the manifest that switchyard_add_plugin() made. Once,
/// at file scope, after #include <switchyard_manifest.h>.
#define SY_CPP_PLUGIN(Type)                                                                        \
  SY_MANIFEST_NOTE(SY_MANIFEST_JSON);                                                              \
  SY_EXPORT constinit const sy_plugin switchyard_plugin_v0 =                                       \
      ::switchyard::Plugin<Type>::describe(SY_MANIFEST_ID, SY_MANIFEST_VERSION, SY_MANIFEST_JSON)
