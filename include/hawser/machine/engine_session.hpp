// Engine.IO 4 as a state machine: what each packet means, polling, the upgrade, the end.
#pragma once

#include <cstdint>
#include <string_view>

#include <hawser/codec/eio/packet.hpp>
#include <hawser/core/bytes.hpp>

namespace hawser::inline HAWSER_ABI {

/// Why a session ended, in the words of Socket.IO's documentation.
enum class disconnect_reason : std::uint8_t {
  transport_error,              ///< the connection failed, or broke a rule of its transport
  transport_close,              ///< the connection was lost or closed by the peer
  forced_close,                 ///< the peer broke the protocol above
  ping_timeout,                 ///< no pong came in time
  parse_error,                  ///< what came is no packet
  server_shutting_down,         ///< `stop` or `drain`
  forced_server_close,          ///< no namespace joined in time, or the server closed the session
  client_namespace_disconnect,  ///< the client left the namespace
  server_namespace_disconnect,  ///< `socket::disconnect`
  io_server_disconnect,         ///< of a client: the server ended the socket on purpose
  io_client_disconnect          ///< of a client: this side did
};

/// As the reference spells it: "transport close".
constexpr std::string_view describe(disconnect_reason why) noexcept {
  switch (why) {
    case disconnect_reason::transport_error: return "transport error";
    case disconnect_reason::transport_close: return "transport close";
    case disconnect_reason::forced_close: return "forced close";
    case disconnect_reason::ping_timeout: return "ping timeout";
    case disconnect_reason::parse_error: return "parse error";
    case disconnect_reason::server_shutting_down: return "server shutting down";
    case disconnect_reason::forced_server_close: return "forced server close";
    case disconnect_reason::client_namespace_disconnect: return "client namespace disconnect";
    case disconnect_reason::server_namespace_disconnect: return "server namespace disconnect";
    case disconnect_reason::io_server_disconnect: return "io server disconnect";
    case disconnect_reason::io_client_disconnect: return "io client disconnect";
  }
  return "";
}

/// Whether a client that comes back may take up where it was: not after an intended leave, nor
/// after bytes that were no packet.
constexpr bool is_recoverable(disconnect_reason why) noexcept {
  return why != disconnect_reason::parse_error &&
         why != disconnect_reason::client_namespace_disconnect &&
         why != disconnect_reason::server_namespace_disconnect;
}

/// The state of one Engine.IO session. It owns no connection: its user tells it what arrived
/// where, and does what the answers say. A session has one carrier, polling or a WebSocket; while
/// it polls, one WebSocket may probe, and takes over when the client says so. Packets go to the
/// carrier, so none is lost, doubled or overtaken by the change.
class engine_session {
 public:
  enum class carrier : std::uint8_t { polling, websocket };

  explicit engine_session(carrier first) noexcept : carrier_(first) {}

  carrier carried_by() const noexcept { return carrier_; }
  bool polls() const noexcept { return carrier_ == carrier::polling; }
  bool is_probed() const noexcept { return probe_ == probe::answered; }

  /// What to do about a packet.
  enum class verdict : std::uint8_t {
    ignore,
    deliver,              ///< its data is a message
    heartbeat,            ///< a pong
    answer_probe,         ///< send `3probe` on the probe, and let a waiting poll go with `6`
    switch_over,          ///< the probe is the carrier now: send there what has waited
    refuse_probe,         ///< close the probe; the session goes on by polling
    end_transport_error,  ///< close the session with that reason
    end_transport_close
  };

  /// A packet from the carrier. Clients don't ping in this version of the protocol, and what else
  /// they may not send is ignored, as the reference does.
  verdict on_packet(eio::packet const& what) const noexcept {
    switch (what.type) {
      case eio::packet_type::message: return verdict::deliver;
      case eio::packet_type::pong: return verdict::heartbeat;
      case eio::packet_type::ping: return verdict::end_transport_error;
      case eio::packet_type::close: return verdict::end_transport_close;
      default: return verdict::ignore;
    }
  }

  /// A WebSocket wants to take over. False: another one does already, or there is nothing to take.
  bool begin_probe() noexcept {
    if (!polls() || probe_ != probe::none) return false;
    probe_ = probe::begun;
    return true;
  }

  /// A packet from the probe. A second probe is a violation, not a reason to answer again.
  verdict on_probe_packet(eio::packet const& what) noexcept {
    if (what.binary) return verdict::refuse_probe;
    if (what.type == eio::packet_type::ping && probe_ == probe::begun &&
        as_text(what.data) == "probe") {
      probe_ = probe::answered;
      return verdict::answer_probe;
    }
    if (what.type == eio::packet_type::upgrade && probe_ == probe::answered) {
      probe_ = probe::none;
      carrier_ = carrier::websocket;
      return verdict::switch_over;
    }
    return verdict::refuse_probe;
  }

  /// The probe has gone, or timed out: polling goes on.
  void end_probe() noexcept { probe_ = probe::none; }

 private:
  enum class probe : std::uint8_t { none, begun, answered };

  carrier carrier_;
  probe probe_ = probe::none;
};

}  // namespace hawser::inline HAWSER_ABI
