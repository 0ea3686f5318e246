// Unix domain sockets alone: a server that can't open a port by mistake.
#pragma once

#include <system_error>
#include <utility>

#include <hawser/transport/tcp.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// As `basic_tcp`, but `listen` takes a path and nothing else, and clients dial `ws+unix:` only.
template <class Executor>
struct basic_unix_socket : basic_tcp<Executor> {
  using context = typename basic_tcp<Executor>::context;

  class acceptor : public address_acceptor<Executor> {
   public:
    using address_acceptor<Executor>::address_acceptor;
    std::error_code open(listen_address const& where) {
      if (where.path.empty()) return make_error_code(errc::bad_argument);
      return address_acceptor<Executor>::open(where);
    }
  };

  class connector : public socket_connector<Executor> {
   public:
    using socket_connector<Executor>::socket_connector;
    template <class Handler>
    void connect(http::url const& where, Handler handler) {
      if (!where.is_unix) return this->fail(std::move(handler), make_error_code(errc::bad_url));
      socket_connector<Executor>::connect(where, std::move(handler));
    }
  };
};

using unix_socket = basic_unix_socket<asio::io_context::executor_type>;

static_assert(transport_policy<unix_socket>);

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
