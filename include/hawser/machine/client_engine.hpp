// Engine.IO 4 as its client sees it, as a state machine: the opening, polling, the upgrade.
#pragma once

#include <cstdint>

#include <hawser/codec/eio/handshake.hpp>
#include <hawser/codec/eio/packet.hpp>
#include <hawser/core/bytes.hpp>

namespace hawser::inline HAWSER_ABI {

/// The state of a client's session. It owns no connection: its user tells it what arrived where,
/// and does what the answers say. Packets go to the carrier. Before it changes, the poll and the
/// POST under way are waited for, and no others begin: nothing is lost, doubled or overtaken.
class client_engine {
 public:
  enum class stage : std::uint8_t { closed, opening, open, closing };
  enum class verdict : std::uint8_t {
    ignore,
    opened,        ///< the open packet: see `eio::read_open`
    deliver,       ///< its data is a message
    answer_ping,   ///< send a pong
    pause,         ///< the probe was answered: see `try_switch`
    refuse_probe,  ///< close the probe, the session goes on by polling
    close,         ///< the server ends the session
    violation
  };

  stage at() const noexcept { return stage_; }
  bool is_open() const noexcept { return stage_ == stage::open; }
  bool polls() const noexcept { return carrier_ == eio::transport_kind::polling; }
  bool is_probing() const noexcept { return probe_ != probe::none; }

  void begin(eio::transport_kind first) noexcept {
    stage_ = stage::opening;
    carrier_ = first;
    probe_ = probe::none;
  }
  /// The open packet was read.
  void open() noexcept { stage_ = stage::open; }
  void begin_closing() noexcept {
    stage_ = stage::closing;
    probe_ = probe::none;
  }
  void end() noexcept { *this = client_engine(); }

  /// A packet from the carrier.
  verdict on_packet(eio::packet const& what) const noexcept {
    if (stage_ == stage::closed) return verdict::ignore;
    bool const opens = what.type == eio::packet_type::open && !what.binary;
    if (stage_ == stage::opening) return opens ? verdict::opened : verdict::violation;
    switch (what.type) {
      case eio::packet_type::message: return verdict::deliver;
      case eio::packet_type::ping: return verdict::answer_ping;
      case eio::packet_type::close: return verdict::close;
      case eio::packet_type::open: return verdict::violation;
      default: return verdict::ignore;
    }
  }

  // -- polling -----------------------------------------------------------------------------------

  /// Whether another poll or POST may begin.
  bool may_ask() const noexcept {
    return polls() && stage_ != stage::closed && probe_ != probe::answered;
  }

  // -- the upgrade -------------------------------------------------------------------------------

  /// A WebSocket is to take over, and was sent `2probe`.
  void begin_probe() noexcept { probe_ = probe::asked; }
  verdict on_probe_packet(eio::packet const& what) noexcept {
    bool const answer = !what.binary && what.type == eio::packet_type::pong &&
                        as_text(what.data) == "probe" && probe_ == probe::asked;
    if (!answer) return verdict::refuse_probe;
    probe_ = probe::answered;
    return verdict::pause;
  }
  /// The probe has gone, or timed out: polling goes on.
  void end_probe() noexcept { probe_ = probe::none; }
  /// Precondition: no poll and no POST is under way. Whether the WebSocket takes over now: send `5`
  /// there, and then what has waited.
  bool try_switch() noexcept {
    if (stage_ != stage::open || probe_ != probe::answered) return false;
    probe_ = probe::none;
    carrier_ = eio::transport_kind::websocket;
    return true;
  }

 private:
  enum class probe : std::uint8_t { none, asked, answered };

  stage stage_ = stage::closed;
  eio::transport_kind carrier_ = eio::transport_kind::polling;
  probe probe_ = probe::none;
};

}  // namespace hawser::inline HAWSER_ABI
