// The least that each concept promises, and nothing more: what instantiates with these relies on
// nothing that a user's own model may lack.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include <asio/io_context.hpp>

#include <hawser/policies.hpp>

namespace archetypes {

/// Can be moved and nothing else.
struct move_only {
  move_only() = default;
  move_only(move_only&&) = default;
  move_only& operator=(move_only&&) = default;
};

/// Can be neither copied nor moved.
struct pinned {
  pinned() = default;
  pinned(pinned&&) = delete;
  pinned& operator=(pinned&&) = delete;
};

struct heartbeat : move_only {
  struct options {};
  hawser::beat start(options const&, hawser::time_point) noexcept { return {}; }
  void on_received() noexcept {}
  hawser::beat poll(options const&, hawser::time_point) noexcept { return {}; }
};

/// What converts to the value and is nothing else.
template <auto Value>
struct constant {
  constexpr operator decltype(Value)() const noexcept { return Value; }
};

struct session_heartbeat : heartbeat {
  static hawser::announced_heartbeat announced(options const&) noexcept { return {}; }
};

struct backpressure : move_only {
  struct options {};
  static constexpr constant<true> replaces_by_key{};
  explicit backpressure(options const&) {}
  hawser::verdict admit(hawser::backlog, std::size_t) const noexcept { return {}; }
};

struct rooms : move_only {
  struct options {};
  explicit rooms(options const&, std::uint64_t) {}
  bool join(hawser::member_id, std::string_view) { return false; }
  bool leave(hawser::member_id, std::string_view) { return false; }
  void leave_all(hawser::member_id) {}
  hawser::room_id find(std::string_view) const { return {}; }
  std::size_t size(hawser::room_id) const { return 0; }
  void visit(std::span<hawser::room_id const>, std::span<hawser::room_id const>,
             hawser::member_visitor) {}
  void visit_rooms(hawser::member_id, hawser::room_visitor) const {}
};

template <bool OpensWithHttp>
struct framing {
  static constexpr bool opens_with_http = OpensWithHttp;
  struct options {};
  struct shared : pinned {
    explicit shared(options const&, hawser::random_source) {}
  };
  struct peer : pinned {
    explicit peer(hawser::role) {}
    hawser::framing_event decode(hawser::mutable_bytes&, shared&) { return {}; }
    hawser::encoded_message encode(hawser::outgoing const&, shared&) { return {}; }
    std::size_t encode_control(hawser::control_kind, hawser::bytes_view, std::byte*, shared&) {
      return 0;
    }
    unsigned variant(hawser::outgoing const&, shared const&) const noexcept { return 0; }
    hawser::unfinished_message unfinished() const noexcept { return {}; }
    void release(shared&) noexcept {}
  };
};

struct parser : pinned {
  struct options {};
  static constexpr constant<hawser::value_format::json> format{};
  struct peer : move_only {
    bool is_waiting() const noexcept { return false; }
  };
  explicit parser(options const&) {}
  hawser::parse_status decode(peer&, hawser::message, bool, hawser::incoming_packet&) {
    return hawser::parse_status::violation;
  }
  hawser::errc error() noexcept { return hawser::errc::bad_packet; }
  hawser::encoded_packet encode(hawser::outgoing_packet const&) { return {}; }
};

struct session_framing : framing<true> {
  struct options : framing::options {
    constant<std::size_t{100}> max_message_size;
    constant<std::size_t{10}> max_packets;
    struct time {
      operator std::chrono::milliseconds() const { return std::chrono::milliseconds{100}; }
    };
    time attachments_timeout;
  };
  using parser = archetypes::parser;
  static parser::options packet_numbers(options const&) { return {}; }
};

/// Alone or not.
template <bool Alone>
struct adapter : pinned {
  struct options {};
  static constexpr constant<Alone> alone{};
  explicit adapter(options const&, hawser::cluster_inbox&) {}
  std::error_code open(std::string_view) { return {}; }
  void close(std::string_view) {}
  std::error_code publish(hawser::cluster_operation const&) { return {}; }
  void answer(hawser::cluster_answer const&) {}
  std::size_t others(std::string_view) const { return 0; }
};

struct stream : move_only {
  std::error_code handshake() { return {}; }
  bool wants_write() const noexcept { return false; }
  hawser::io_result read_some(hawser::mutable_bytes) { return {0, hawser::would_block()}; }
  hawser::io_result write_some(std::span<hawser::bytes_view const>) {
    return {0, hawser::would_block()};
  }
  bool unsent() const noexcept { return false; }
  template <class Handler>
  void wait_readable(Handler) {}
  template <class Handler>
  void wait_writable(Handler) {}
  void shutdown() {}
  void close() noexcept {}
  void reset() noexcept {}
  std::string remote_address() const { return {}; }
  bool secure() const noexcept { return false; }
};

struct transport {
  using executor_type = asio::io_context::executor_type;
  struct options {};
  using stream = archetypes::stream;

  class context : pinned {
   public:
    explicit context(executor_type executor, options const&) : executor_(executor) {}
    std::error_code prepare_server() { return {}; }
    std::error_code prepare_client() { return {}; }
    executor_type executor() { return executor_; }

   private:
    executor_type executor_;
  };

  struct acceptor : pinned {
    explicit acceptor(context&) {}
    std::error_code open(hawser::listen_address const&) { return {}; }
    hawser::result<archetypes::stream> accept() { return hawser::would_block(); }
    template <class Handler>
    void wait(Handler) {}
    void close() noexcept {}
    std::uint16_t port() const noexcept { return 7; }
  };

  struct connector : pinned {
    explicit connector(context&) {}
    template <class Handler>
    void connect(hawser::http::url const&, Handler) {}
    void cancel() noexcept {}
  };

  struct timer : pinned {
    explicit timer(context&) {}
    hawser::time_point now() const noexcept { return {}; }
    template <class Handler>
    void wait_until(hawser::time_point, Handler) {}
    void cancel() noexcept {}
  };
};

/// Never dials again.
struct reconnect : move_only {
  struct options {};
  explicit reconnect(options const&) {}
  std::optional<std::chrono::milliseconds> next(hawser::attempt_failure const&,
                                                std::uint64_t) noexcept {
    return std::nullopt;
  }
  void reset() noexcept {}
};

/// Keeps nothing.
struct offline_queue : move_only {
  struct options {};
  static constexpr constant<false> is_durable{};
  offline_queue(options const&, std::string_view) {}
  hawser::result<std::uint64_t> push(hawser::message_kind, hawser::bytes_view, hawser::message_key,
                                     hawser::time_point) {
    return hawser::errc::not_open;
  }
  hawser::queued_message const* front(hawser::time_point) { return nullptr; }
  bool remove(std::uint64_t) noexcept { return false; }
  std::optional<hawser::dropped_message> dropped() { return std::nullopt; }
  hawser::backlog size() const noexcept { return {}; }
};

}  // namespace archetypes
