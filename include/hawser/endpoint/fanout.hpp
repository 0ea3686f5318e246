// One encoded packet on its way to many sockets, whatever carries their sessions.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include <hawser/core/view_of.hpp>
#include <hawser/endpoint/delivery.hpp>
#include <hawser/endpoint/session.hpp>
#include <hawser/endpoint/socketio_host.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// A broadcast under way in a server's `Core`. Costs a recipient a reference: the frames of
/// WebSockets and the packets of polling sessions are each made once, when somebody needs them.
template <class Core>
class fanout {
 public:
  using session_type = session<Core>;

  fanout(Core& core, encoded_packet const& what, emit_flags const& how)
      : core_(core),
        how_(how),
        messages_(parts_of(what, how.compress)),
        frames_(core, messages_.view(), how.key) {}

  void to(session_type& in) {
    if (in.state.polls()) {
      polled_ += in.queue(parts(), how_) ? 0 : 1;
    } else if (in.is_open()) {
      if (how_.droppable && !in.is_writable()) {
        ++core_.counters().messages_dropped;
      } else if (in.base64_only) {
        converted_ += in.send_frames(messages_.view(), how_.key) ? 0 : 1;
      } else {
        frames_.to(*in.carrier());
      }
    }
  }

  /// How many have taken it.
  std::size_t taken() const noexcept { return polled_ + converted_ + frames_.taken(); }

  /// The packet as polling sessions and recovery keep it.
  std::span<packet_part const> parts() {
    if (parts_.empty()) parts_ = copies(core_.blocks(), messages_.view());
    return view_of(parts_);
  }

 private:
  Core& core_;
  emit_flags how_;
  small_list<outgoing, 4> messages_;
  delivery<Core> frames_;
  std::vector<packet_part> parts_;
  std::size_t polled_ = 0;
  std::size_t converted_ = 0;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
