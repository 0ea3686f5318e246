// What a client of Engine.IO asks its server for: targets, polls and POSTs, and what they carry.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <hawser/codec/eio/handshake.hpp>
#include <hawser/codec/http/url.hpp>
#include <hawser/core/small_list.hpp>
#include <hawser/endpoint/admission.hpp>
#include <hawser/endpoint/client_host.hpp>
#include <hawser/endpoint/redialing.hpp>
#include <hawser/machine/client_engine.hpp>
#include <hawser/machine/packet_queue.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// Third layer of `socketio_client_core` (`Derived`).
template <class Derived, class Policies>
class engine_requests : public redialing<Derived, Policies, client_host> {
 public:
  using base = redialing<Derived, Policies, client_host>;
  using connection_type = typename base::connection_type;

  bool is_session_open() const noexcept { return state_.is_open(); }
  std::string_view sid() const noexcept { return terms_.sid; }
  std::string_view transport() const noexcept override {
    if (!state_.is_open()) return {};
    return state_.polls() ? "polling" : "websocket";
  }

  void ready(client_line on, connection_type& one) {
    switch (on) {
      case client_line::websocket:
        return this->upgrade(one, target(eio::transport_kind::websocket));
      case client_line::poll: return ask(one);
      case client_line::post: return post_by(one);
    }
  }

  // -- sending -----------------------------------------------------------------------------------

  /// Sends one packet of the level above, with its attachments. Errors: as `client_socket::emit`.
  std::error_code send(encoded_packet const& what, emit_flags const& how) {
    if (!state_.is_open()) return make_error_code(errc::not_open);
    if (how.droppable && !is_writable()) {
      ++this->counters_.messages_dropped;
      return make_error_code(errc::dropped);
    }
    small_list<outgoing, 4> const parts = parts_of(what, how.compress);
    if (!state_.polls()) [[likely]] {
      return this->connection_of(client_line::websocket)->send(parts.view(), how.key);
    }
    auto const refused = queue_packet(queue_, this->backpressure(), this->counters_,
                                      this->derived(), copies(this->blocks(), parts.view()), how);
    if (!refused) this->flush_soon();
    return refused;
  }

  /// Whether a packet that is sent now is neither dropped nor the last straw.
  bool takes(encoded_packet const& what) {
    backlog const before = sent_backlog();
    if (before.messages == 0) return true;
    std::size_t size = 0;  // with more than base64, framing and compression can add
    small_list<outgoing, 4> const parts = parts_of(what, true);
    for (outgoing const& part : parts.view()) size += part.data.size() + part.data.size() / 2 + 64;
    return this->backpressure().admit(before, size) == verdict::enqueue;
  }
  void hurry_carrier() {
    connection_type* const one = this->connection_of(client_line::websocket);
    if (one && !state_.polls()) one->flush();
  }

  bool is_writable() {
    if (!state_.is_open()) return false;
    if (state_.polls()) return queue_.empty() && !is_posting();
    return this->connection_of(client_line::websocket)->queued().messages == 0;
  }
  backlog sent_backlog() {
    if (!state_.is_open()) return {};
    if (state_.polls()) return queue_.queued();
    return this->connection_of(client_line::websocket)->queued();
  }

 protected:
  engine_requests(typename base::executor_type executor, client_options<Policies>& options)
      : base(std::move(executor), options), engine_(std::move(options.engine)) {
    this->limit_content(engine_.max_poll_size);
    for (auto const& [name, content] : engine_.query) {
      query_ += "&" + http::form_encode(name) + "=" + http::form_encode(content);
    }
  }

  // A packet of Engine.IO itself.
  void send_control(std::string_view packet) {
    if (state_.polls()) {
      queue_.push_control(this->space().pack(as_bytes(packet)));
      this->flush_soon();
    } else if (auto* const one = this->connection_of(client_line::websocket)) {
      one->send_text_control(as_bytes(packet));
    }
  }

  // -- polling -----------------------------------------------------------------------------------

  bool is_asking(client_line on) {
    connection_type* const one = this->connection_of(on);
    return one && one->opening && one->opening->waits;
  }
  bool is_posting() { return is_asking(client_line::post); }
  bool is_busy() { return is_asking(client_line::poll) || is_posting(); }

  // Whatever can be done next: the switch to the WebSocket, a poll, a POST.
  void go_on() {
    if (this->gone() || !state_.polls()) return;
    if (!is_busy() && state_.try_switch()) return this->derived().switch_over();
    if (!state_.may_ask() || state_.at() == client_engine::stage::opening) return;
    if (state_.is_open()) {
      ask_by(client_line::poll, time_point::max());
    } else if (queue_.empty() && !is_posting() && !std::exchange(parted_, true)) {
      // Behind the answer to what was sent before: servers look at a close before all else.
      queue_.push_control(this->space().pack(as_bytes("1")));
    }
    if (!queue_.empty()) ask_by(client_line::post, this->now() + engine_.request_timeout);
  }

  void ask_by(client_line on, time_point give_up) {
    if (this->dials(on) || is_asking(on)) return;
    if (connection_type* const idle = this->idle_connection(on)) {
      if (idle->opening) ready(on, *idle);
    } else {
      this->dial(on, std::min(give_up, this->now() + engine_.request_timeout));
    }
  }

  void ask(connection_type& one) {
    if (state_.at() == client_engine::stage::closed || !state_.may_ask()) return;
    bool const opens = state_.at() == client_engine::stage::opening;
    this->request(one, target(eio::transport_kind::polling), opens ? give_up_ : time_point::max());
  }

  void post_by(connection_type& one) {
    if (!state_.may_ask() || queue_.empty()) return;
    byte_buffer body;
    queue_.write_payload(body, terms_.max_payload == 0 ? SIZE_MAX : terms_.max_payload);
    this->request(one, target(eio::transport_kind::polling), this->now() + engine_.request_timeout,
                  as_text(body.view()));
    if (queue_.empty() && state_.is_open()) this->derived().carrier_drained();
  }

  client_engine_options engine_;
  client_engine state_;
  eio::session_terms terms_;
  packet_queue queue_;    // while the session polls
  time_point give_up_{};  // of the attempt
  bool parted_ = false;   // the packet that ends the session is queued, or has left

 private:
  std::string target(eio::transport_kind kind) {
    bool const polls = kind == eio::transport_kind::polling;
    std::string made = engine_.path + "/?EIO=4&transport=" + (polls ? "polling" : "websocket");
    auto const& path = this->url().target;
    if (auto const mark = path.find('?'); mark != std::string::npos && mark + 1 < path.size()) {
      made += "&" + path.substr(mark + 1);
    }
    made += query_;
    if (!terms_.sid.empty()) made += "&sid=" + terms_.sid;
    if (polls) made += "&t=" + std::to_string(++asked_);  // no cache has seen it
    return made;
  }

  std::string query_;
  std::uint64_t asked_ = 0;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
