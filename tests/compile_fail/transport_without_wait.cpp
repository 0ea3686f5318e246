// EXPECT: byte_stream
#include <hawser/policies.hpp>

// A stream that can be read from, but not waited for.
struct stream {
  std::error_code handshake() { return {}; }
  bool wants_write() const noexcept { return false; }
  hawser::io_result read_some(hawser::mutable_bytes) { return {}; }
  hawser::io_result write_some(std::span<hawser::bytes_view const>) { return {}; }
  bool unsent() const noexcept { return false; }
#ifdef CORRECTED
  template <class Handler>
  void wait_readable(Handler&&) {}
#endif
  template <class Handler>
  void wait_writable(Handler&&) {}
  void shutdown() {}
  void close() noexcept {}
  void reset() noexcept {}
  std::string remote_address() const { return {}; }
  bool secure() const noexcept { return false; }
};
struct acceptor {
  explicit acceptor(hawser::tcp::context&) {}
  std::error_code open(hawser::listen_address const&) { return {}; }
  hawser::result<stream> accept() { return hawser::errc::no_tls; }
  template <class Handler>
  void wait(Handler&&) {}
  void close() noexcept {}
  std::uint16_t port() const noexcept { return 0; }
};
struct connector {
  explicit connector(hawser::tcp::context&) {}
  template <class Handler>
  void connect(hawser::http::url const&, Handler&&) {}
  void cancel() noexcept {}
};
struct waitless {
  using executor_type = hawser::tcp::executor_type;
  using options = hawser::tcp::options;
  using context = hawser::tcp::context;
  using stream = ::stream;
  using acceptor = ::acceptor;
  using connector = ::connector;
  using timer = hawser::tcp::timer;
};

using chosen = hawser::websocket_policies::with_transport<waitless>;
