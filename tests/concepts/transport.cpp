#include <concepts/instantiate.hpp>

using set = hawser::websocket_policies::with_transport<archetypes::transport>;
template class hawser::basic_server<set>;
template class hawser::basic_client<set>;

namespace {

using good = archetypes::transport;
using hawser::byte_stream;
using hawser::bytes_view;
using hawser::io_result;
using hawser::mutable_bytes;
using hawser::transport_policy;

static_assert(transport_policy<good> && byte_stream<good::stream>);
static_assert(!std::is_copy_constructible_v<good::stream> &&
              !std::is_move_constructible_v<good::context>);

struct immovable : good::stream {
  immovable(immovable&&) = delete;
};
struct handshake_returns_bool : good::stream {
  bool handshake() { return true; }
};
struct wants_write_throws : good::stream {
  bool wants_write() const { return false; }
};
struct read_returns_size : good::stream {
  std::size_t read_some(mutable_bytes) { return 0; }
};
struct write_takes_one : good::stream {
  io_result write_some(bytes_view) { return {}; }
};
struct unsent_counts : good::stream {
  std::size_t unsent() const noexcept { return 0; }
};
struct cant_wait_to_read : good::stream {
  void wait_readable() {}
};
struct cant_wait_to_write : good::stream {
  void wait_writable() {}
};
struct shutdown_returns : good::stream {
  std::error_code shutdown() { return {}; }
};
struct close_throws : good::stream {
  void close() {}
};
struct reset_throws : good::stream {
  void reset() {}
};
struct address_is_a_view : good::stream {
  std::string_view remote_address() const { return {}; }
};
struct secure_throws : good::stream {
  bool secure() const { return false; }
};
static_assert(!byte_stream<immovable> && !byte_stream<handshake_returns_bool> &&
              !byte_stream<wants_write_throws> && !byte_stream<read_returns_size> &&
              !byte_stream<write_takes_one> && !byte_stream<unsent_counts>);
static_assert(!byte_stream<cant_wait_to_read> && !byte_stream<cant_wait_to_write> &&
              !byte_stream<shutdown_returns> && !byte_stream<close_throws> &&
              !byte_stream<reset_throws> && !byte_stream<address_is_a_view> &&
              !byte_stream<secure_throws>);

struct other_acceptor : good {
  struct acceptor : good::acceptor {
    using good::acceptor::acceptor;
    hawser::result<int> accept() { return 1; }
  };
};
struct open_returns_void : good {
  struct acceptor : good::acceptor {
    using good::acceptor::acceptor;
    void open(hawser::listen_address const&) {}
  };
};
struct acceptor_cant_wait : good {
  struct acceptor : good::acceptor {
    using good::acceptor::acceptor;
    void wait() {}
  };
};
struct acceptor_without_context : good {
  struct acceptor : good::acceptor {
    acceptor();
  };
};
struct timer_returns_milliseconds : good {
  struct timer : good::timer {
    using good::timer::timer;
    std::chrono::milliseconds now() const noexcept { return {}; }
  };
};
struct timer_changes : good {
  struct timer : good::timer {
    using good::timer::timer;
    hawser::time_point now() noexcept { return {}; }
  };
};
struct timer_cancel_throws : good {
  struct timer : good::timer {
    using good::timer::timer;
    void cancel() {}
  };
};
struct timer_cant_wait : good {
  struct timer : good::timer {
    using good::timer::timer;
    void wait_until(hawser::time_point) {}
  };
};
struct connector_takes_text : good {
  struct connector : good::connector {
    using good::connector::connector;
    template <class Handler>
    void connect(std::string, Handler) {}
  };
};
struct connector_cancel_throws : good {
  struct connector : good::connector {
    using good::connector::connector;
    void cancel() {}
  };
};
struct prepares_nothing : good {
  struct context : good::context {
    using good::context::context;
    void prepare_client() {}
  };
};
struct other_executor : good {
  struct context : good::context {
    using good::context::context;
    asio::io_context& executor();
  };
};
static_assert(!transport_policy<other_acceptor> && !transport_policy<open_returns_void> &&
              !transport_policy<acceptor_cant_wait> && !transport_policy<acceptor_without_context>);
static_assert(!transport_policy<timer_returns_milliseconds> && !transport_policy<timer_changes> &&
              !transport_policy<timer_cancel_throws> && !transport_policy<timer_cant_wait>);
static_assert(!transport_policy<connector_takes_text> &&
              !transport_policy<connector_cancel_throws>);
static_assert(!transport_policy<prepares_nothing> && !transport_policy<other_executor>);

}  // namespace

TEST_CASE("concepts: the transport archetype serves server and client", "[concepts]") {
  concepts_test::use_server<set>();
  concepts_test::use_client<set>();
}
