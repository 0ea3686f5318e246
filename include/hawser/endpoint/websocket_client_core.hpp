// The engine behind a raw WebSocket client: one connection after the other, and what waits for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <hawser/core/callback.hpp>
#include <hawser/endpoint/completion.hpp>
#include <hawser/endpoint/redialing.hpp>
#include <hawser/endpoint/websocket.hpp>
#include <hawser/policy/offline_queue.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// A message that was received for `async_receive`; owns its bytes.
struct received_message {
  message_kind kind = message_kind::binary;
  std::string data{};

  bool is_text() const noexcept { return kind == message_kind::text; }
};

/// Internal to `basic_client` with a framing of raw messages.
template <class Policies>
class websocket_client_core final
    : public redialing<websocket_client_core<Policies>, Policies, websocket_host> {
 public:
  using options_type = client_options<Policies>;
  using base = redialing<websocket_client_core<Policies>, Policies, websocket_host>;
  using connection_type = typename base::connection_type;

  callback<void()> on_open;
  callback<void(message const&)> on_message;
  callback<void(close_event const&)> on_close;
  callback<void()> on_drain;
  callback<void(dropped_message const&)> on_dropped;

  websocket_client_core(typename base::executor_type executor, client_options<Policies> options)
      : base(std::move(executor), options),
        queue_(std::in_place, options.offline_queue, std::string_view()),
        max_received_(options.max_received) {}

  // -- verbs -------------------------------------------------------------------------------------

  std::error_code close(close_code code, std::string_view reason) {
    if (auto const error = ws::check_close(code, reason)) return error;
    if (this->gone() || this->state() == client_state::disconnected ||
        this->state() == client_state::disconnecting) {
      return make_error_code(errc::not_open);
    }
    typename base::turn const held(*this);
    if (this->is_connecting()) {
      this->give_up_connecting();
    } else {
      this->begin_closing();
      // Called from the close handler, there is nothing left to close.
      if (is_open()) (void)this->connection_of(client_line::websocket)->close(code, reason);
    }
    return {};
  }

  void close(close_code code, std::string_view reason, completion<std::error_code> done) {
    if (this->gone()) return done(make_error_code(asio::error::operation_aborted));
    if (this->state() == client_state::disconnecting) {
      close_done_.push_back(std::move(done));
      return;
    }
    if (auto const error = ws::check_close(code, reason)) return done(error);
    if (!is_open()) return done(close(code, reason));
    close_done_.push_back(std::move(done));  // before a handler is told, who may end it all
    (void)close(code, reason);
  }

  void receive(completion<std::error_code, received_message> done) {
    if (this->gone()) return done(make_error_code(asio::error::operation_aborted), {});
    connection_type* const one = this->connection_of(client_line::websocket);
    if (!received_.empty()) {
      done({}, std::move(received_.front()));
      received_.pop_front();
      if (one && received_.size() < max_received_) one->resume_reading(pause_reason::host);
      return;
    }
    bool const may_come = one ? one->state() == phase::open || one->state() == phase::closing
                              : this->state() == client_state::reconnecting;
    if (!may_come) return done(make_error_code(errc::not_open), {});
    receive_done_.push_back(std::move(done));
  }

  /// Sends, or has it wait for a connection.
  std::error_code send(outgoing const& what, message_key const& key) {
    connection_type* const one = this->connection_of(client_line::websocket);
    bool const open = one && one->is_open();
    if (open && queue_->size().messages == 0) return one->send(what, key);
    if (this->gone() || this->state() == client_state::disconnecting)
      return make_error_code(errc::not_open);
    typename base::turn const held(*this);
    auto const queued = queue_->push(what.kind, what.data, key, this->now());
    tell_dropped();
    if (!queued) return queued.error();
    if (open && !this->gone()) send_queued();
    return {};
  }

  bool is_open() noexcept {
    connection_type* const one = this->connection_of(client_line::websocket);
    return one && one->is_open();
  }
  typename Policies::offline_queue const& offline_queue() const noexcept { return *queue_; }

  // -- events of the connection ------------------------------------------------------------------

  void begin_attempt(time_point give_up) { this->dial(client_line::websocket, give_up); }
  void end_attempt() { this->hang_up(client_line::websocket); }
  void connect_cancelled() { this->give_up_connecting(); }
  void other_server() noexcept {}
  void rested(std::error_code why) { finish_waiting(why); }

  void ready(client_line, connection_type& one) {
    if constexpr (Policies::framing::opens_with_http) {
      this->upgrade(one, this->url().target);
    } else {
      opened(one);
    }
  }
  void response(client_line, mutable_bytes) noexcept {}  // nothing but an upgrade is asked for

  void opened(connection_type& one) {
    one.become_open();
    one.opening.reset();
    this->attempt_opened([&] {
      if (!one.is_open()) return;  // who heard of the state has closed it
      ++this->counters_.opened;
      announced_ = true;
      if (on_open) this->fenced([&] { on_open(); });
    });
    if (!this->gone()) this->complete_connect({});
    send_queued();
  }

  void line_failed(client_line, attempt_failure const& why) { this->attempt_failed(why); }

  void deliver(connection_type& one, message const& what) {
    if (on_message) {
      if (!this->fenced([&] { on_message(what); })) (void)one.close(close_code::internal_error, {});
      return;
    }
    received_message kept{what.kind, std::string(what.text())};
    if (auto first = take_first(receive_done_)) return first({}, std::move(kept));
    received_.push_back(std::move(kept));
    if (received_.size() >= max_received_) one.pause_reading(pause_reason::host);
  }

  void drained(connection_type&) {
    send_queued();
    if (on_drain) this->fenced([&] { on_drain(); });
  }

  void closed(connection_type& one, close_event const& event) {
    if (std::exchange(announced_, false)) {
      ++this->counters_.closed;
      if (on_close) this->fenced([&] { on_close(event); });
    }
    if (this->gone()) return;
    this->part_with(one);
    auto const why = loss_of(event);
    finish_waiting(why.error);
    complete_all(close_done_, event.error);
    this->connection_lost(why);
  }

  void on_later_deadline(wheel_entry&, time_point) noexcept {}  // there are none

  // -- what handles ask --------------------------------------------------------------------------

  std::error_code send(connection_id id, outgoing const& what, message_key const& key) override {
    return is_open(id) ? send(what, key) : this->gone_call();
  }
  std::error_code close(connection_id id, close_code code, std::string_view reason) override {
    return id == this->current() ? close(code, reason) : this->gone_call();
  }
  std::error_code terminate(connection_id id) override {
    connection_type* const one = connection_at(id);
    if (!one && !(id == this->current() && this->is_connecting())) return this->gone_call();
    typename base::turn const held(*this);
    if (this->is_connecting()) {
      this->give_up_connecting();
      return {};
    }
    this->begin_closing();
    connection_type* const left = connection_at(id);  // unless a handler was quicker
    if (left) left->terminate({});
    return {};
  }
  bool is_open(connection_id id) override { return id == this->current() && is_open(); }
  user_data* data(connection_id id) override {
    connection_type* const one = connection_at(id);
    return one ? &one->data : nullptr;
  }
  std::string remote_address(connection_id id) override {
    connection_type* const one = connection_at(id);
    return one ? one->stream().remote_address() : std::string();
  }
  std::string_view subprotocol(connection_id id) override {
    connection_type* const one = connection_at(id);
    return one ? one->subprotocol() : std::string_view();
  }
  backlog queued(connection_id id) override {
    connection_type* const one = connection_at(id);
    return one ? one->queued() : backlog{};
  }
  void flush_one(connection_id id) override {
    if (connection_type* const one = connection_at(id)) one->flush_early();
  }
  // A client is in no room of its own.
  bool join(connection_id, std::string_view) override { return false; }
  bool leave(connection_id, std::string_view) override { return false; }
  room_id find_room(std::string_view) override { return {}; }
  std::size_t room_size(room_id) override { return 0; }
  std::size_t broadcast(audience_view const&, outgoing const&, message_key const&) override {
    return 0;
  }
  void answered(answer_route) override {}

  // -- the end -----------------------------------------------------------------------------------

  /// The façade goes: no event handler runs from here on; pending operations are completed.
  void shut() noexcept {
    this->retain();
    this->let_go();
    auto const aborted = make_error_code(asio::error::operation_aborted);
    this->complete_connect(aborted);
    finish_waiting(aborted);
    complete_all(close_done_, aborted);
    this->retire(std::exchange(queue_, std::nullopt));
    this->release();
  }

  /// The context goes: nothing can be posted to it any more.
  void context_gone() noexcept override {
    this->retain();
    this->let_go();
    this->drop_completions();
    receive_done_.clear();
    close_done_.clear();
    shut();  // which finds nobody to tell
    this->release();
  }

 private:
  connection_type* connection_at(connection_id id) noexcept {
    return id == this->current() ? this->connection_of(client_line::websocket) : nullptr;
  }

  // As much of the queue as the connection takes without a backlog; the rest when it has drained.
  void send_queued() {
    bool flushed = false;
    while (!this->gone() && is_open() && queue_->size().messages > 0) {
      queued_message const* const next = queue_->front(this->now());
      if (!next) break;
      connection_type& one = *this->connection_of(client_line::websocket);
      // With more than framing and compression can add.
      std::size_t const size = next->data.size() + next->data.size() / 1024 + 64;
      backlog const before = one.queued();
      if (before.messages > 0 && this->backpressure().admit(before, size) != verdict::enqueue) {
        if (std::exchange(flushed, true)) break;
        one.flush();  // after which nothing need be as it was
        continue;
      }
      flushed = false;
      if (one.send(outgoing{next->kind, next->data}, next->key)) break;
      (void)queue_->remove(next->id);
    }
    tell_dropped();
  }

  void tell_dropped() {
    while (!this->gone()) {
      auto const one = queue_->dropped();
      if (!one) return;
      ++this->counters_.messages_dropped;
      if (on_dropped) this->fenced([&] { on_dropped(*one); });
    }
  }

  void finish_waiting(std::error_code why) { complete_all(receive_done_, why, received_message()); }

  std::optional<typename Policies::offline_queue> queue_;  // gone with the façade
  std::size_t max_received_;
  bool announced_ = false;  // the open event was told, and the close event wasn't
  std::vector<completion<std::error_code>> close_done_;
  std::deque<completion<std::error_code, received_message>> receive_done_;
  std::deque<received_message> received_;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
