// The engine behind `basic_client`: dials, upgrades, and holds one connection.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <hawser/codec/base64.hpp>
#include <hawser/codec/http/parse.hpp>
#include <hawser/codec/http/url.hpp>
#include <hawser/codec/ws/extension.hpp>
#include <hawser/codec/ws/handshake.hpp>
#include <hawser/core/callback.hpp>
#include <hawser/endpoint/client_options.hpp>
#include <hawser/endpoint/completion.hpp>
#include <hawser/endpoint/host.hpp>
#include <hawser/endpoint/websocket.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// What a client's connection holds until it is open.
struct client_opening {
  explicit client_opening(http::head_limits const& limits) : parser(limits) {}
  http::response_parser parser;
  std::string key;
};

/// Internal to `basic_client`.
template <class Policies>
class client_core final : public host<client_core<Policies>, Policies, websocket_host> {
 public:
  using base = host<client_core<Policies>, Policies, websocket_host>;
  using policies = Policies;
  using opening = client_opening;
  using guest_type = no_guest;
  using connection_type = connection<client_core>;
  using stream_type = typename connection_type::stream_type;

  callback<void(message const&)> on_message;
  callback<void(close_event const&)> on_close;
  callback<void()> on_drain;

  client_core(typename base::executor_type executor, client_options<Policies> options)
      : base(std::move(executor), options),
        connector_(std::in_place, this->context_),
        head_(options.head),
        subprotocols_(std::move(options.subprotocols)),
        headers_(std::move(options.headers)),
        connect_timeout_(options.connect_timeout),
        max_received_(options.max_received) {
    if constexpr (requires { options.framing.deflate; }) deflate_ = options.framing.deflate;
  }

  // -- verbs -------------------------------------------------------------------------------------

  void connect(std::string_view where, completion<std::error_code> done) {
    if (this->gone()) return done(make_error_code(asio::error::operation_aborted));
    if (connect_done_ || connection_) return done(make_error_code(errc::already_connected));
    auto target = http::parse_url(where);
    if (!target) return done(target.error());
    if (target->secure &&
        !prepared_) {  // loading certificates is not for those who don't need them
      if (auto const error = this->context_.prepare_client()) return done(error);
      prepared_ = true;
    }
    url_ = std::move(*target);
    connect_done_ = std::move(done);
    status_ = 0;
    received_.clear();
    give_up_at_ = this->now() + connect_timeout_;
    this->schedule(connect_deadline_, give_up_at_);
    connector_->connect(url_, [at = anchor_ref(&this->anchored()), this,
                               attempt = ++attempt_](result<stream_type> stream) {
      if (!at.host() || attempt != attempt_ || !connect_done_) return;
      typename base::turn const held(*this);
      if (!stream) return connect_failed(stream.error());
      start(std::move(*stream));
    });
  }

  std::error_code close(close_code code, std::string_view reason) {
    if (connect_done_) {
      if (auto const error = ws::check_close(code, reason)) return error;
      give_up_connecting(make_error_code(asio::error::operation_aborted));
      return {};
    }
    return connection_ ? connection_->close(code, reason) : make_error_code(errc::not_open);
  }

  void close(close_code code, std::string_view reason, completion<std::error_code> done) {
    bool const was_open = connection_ && connection_->is_open();
    if (connection_ && connection_->state() == phase::closing) {
      close_done_.push_back(std::move(done));
      return;
    }
    auto const error = close(code, reason);
    if (error || !was_open) return done(error);
    close_done_.push_back(std::move(done));
  }

  void receive(completion<std::error_code, received_message> done) {
    if (!received_.empty()) {
      done({}, std::move(received_.front()));
      received_.pop_front();
      if (connection_ && received_.size() < max_received_)
        connection_->resume_reading(pause_reason::host);
      return;
    }
    if (!connection_ || connection_->state() >= phase::lingering || close_delivered_) {
      return done(make_error_code(errc::not_open), {});
    }
    receive_done_.push_back(std::move(done));
  }

  std::error_code send(outgoing const& what, message_key key) {
    return connection_ ? connection_->send(what, key) : make_error_code(errc::not_open);
  }

  bool is_open() const noexcept { return connection_ && connection_->is_open(); }
  bool is_connecting() const noexcept { return static_cast<bool>(connect_done_); }
  int status() const noexcept { return status_; }
  connection_id current() const noexcept { return {0, generation_}; }

  // -- events of the connection ------------------------------------------------------------------

  void secured(connection_type& one) {
    one.begin_opening();
    if constexpr (!Policies::framing::opens_with_http) {
      return opened(one);
    } else {
      std::array<std::byte, 16> raw;
      this->random()(raw);
      one.opening->key = codec::base64_encode(raw);
      std::string offered;
      if constexpr (requires(ws::deflate_agreement a) { one.peer().agree(a); }) {
        offered = ws::offer(deflate_);
      }
      auto const request =
          ws::write_upgrade(url_, one.opening->key, subprotocols_, offered, headers_);
      if (!request) return opening_over(one, request.error());
      one.send_raw(as_bytes(*request));
    }
  }

  void opening_bytes(connection_type& one, mutable_bytes in) {
    client_opening& now = *one.opening;
    for (;;) {
      auto const got = now.parser.parse(as_text(in));
      in = in.subspan(got.consumed);
      if (got.error) return opening_over(one, got.error);
      if (!got.done) return;
      auto const answer = now.parser.take();
      status_ = answer.status();
      if (status_ >= 100 && status_ < 200 && status_ != 101) {
        if (++informational_ > max_informational) {
          return opening_over(one, make_error_code(errc::unexpected_status));
        }
        now.parser.reset();
        continue;
      }
      if (auto const error = ws::check_switching(answer, now.key, subprotocols_)) {
        return opening_over(one, error);
      }
      auto const agreed = ws::check_answer(answer.get_all("Sec-WebSocket-Extensions"), deflate_);
      if (!agreed) return opening_over(one, agreed.error());
      if constexpr (requires(ws::deflate_agreement a) { one.peer().agree(a); }) {
        if (*agreed) one.peer().agree(**agreed);
      }
      one.set_subprotocol(ws::chosen_subprotocol(answer));
      opened(one);
      if (!in.empty()) one.receive(in);
      return;
    }
  }

  void opening_failed(connection_type&, std::error_code error) {
    ++this->counters_.transport_failures;
    connect_failed(error);
  }
  void opening_timed_out(connection_type& one) {
    opening_over(one, make_error_code(errc::handshake_timeout));
  }

  void deliver(connection_type& one, message const& what) {
    if (on_message) {
      if (!this->fenced([&] { on_message(what); })) (void)one.close(close_code::internal_error, {});
      return;
    }
    received_message kept{what.kind, std::string(what.text())};
    if (!receive_done_.empty()) {
      auto done = std::move(receive_done_.front());
      receive_done_.pop_front();
      return done({}, std::move(kept));
    }
    received_.push_back(std::move(kept));
    if (received_.size() >= max_received_) one.pause_reading(pause_reason::host);
  }

  void drained(connection_type&) {
    if (on_drain) this->fenced([&] { on_drain(); });
  }

  void closed(connection_type&, close_event const& event) {
    ++this->counters_.closed;
    close_delivered_ = true;
    if (on_close) this->fenced([&] { on_close(event); });
    finish_waiting(event.error ? event.error : make_error_code(errc::not_open));
    auto waiting = std::move(close_done_);
    close_done_.clear();
    for (auto& done : waiting) done(event.error);
  }

  void remove(connection_type& one) noexcept {
    this->unschedule(one);
    if (connection_ == &one) {
      connection_ = nullptr;
      ++generation_;
    }
    this->disarm();
    one.release();
  }

  void on_deadline(wheel_entry& entry, time_point now) {
    if (&entry == &connect_deadline_) {
      return give_up_connecting(make_error_code(errc::handshake_timeout));
    }
    static_cast<connection_type&>(entry).on_deadline(now);
  }

  void shed_partial(connection_type& one) {
    one.violate(errc::partial_budget_exceeded, close_code::try_again_later);
  }

  // -- what handles ask --------------------------------------------------------------------------

  std::error_code send(connection_id id, outgoing const& what, message_key key) override {
    return id == current() ? send(what, key) : gone_call();
  }
  std::error_code close(connection_id id, close_code code, std::string_view reason) override {
    return id == current() ? close(code, reason) : gone_call();
  }
  std::error_code terminate(connection_id id) override {
    if (id != current() || !(connection_ || connect_done_)) return gone_call();
    if (connect_done_) {
      give_up_connecting(make_error_code(asio::error::operation_aborted));
    } else {
      connection_->terminate({});
    }
    return {};
  }
  bool is_open(connection_id id) override { return id == current() && is_open(); }
  user_data* data(connection_id id) override {
    return id == current() && connection_ ? &connection_->data : nullptr;
  }
  std::string remote_address(connection_id id) override {
    return id == current() && connection_ ? connection_->stream().remote_address() : std::string();
  }
  std::string_view subprotocol(connection_id id) override {
    return id == current() && connection_ ? connection_->subprotocol() : std::string_view();
  }
  backlog queued(connection_id id) override {
    return id == current() && connection_ ? connection_->queued() : backlog{};
  }
  // A client is in no room of its own.
  bool join(connection_id, std::string_view) override { return false; }
  bool leave(connection_id, std::string_view) override { return false; }
  room_id find_room(std::string_view) override { return {}; }
  std::size_t room_size(room_id) override { return 0; }
  std::size_t broadcast(audience_view const&, outgoing const&, message_key) override { return 0; }
  void answered(answer_route) override {}

  // -- the end -----------------------------------------------------------------------------------

  /// The façade goes: no event handler runs from here on; pending operations are completed.
  void shut() noexcept {
    this->retain();
    let_go();
    auto const aborted = make_error_code(asio::error::operation_aborted);
    connect_done_(aborted);
    finish_waiting(aborted);
    for (auto& done : close_done_) done(aborted);
    close_done_.clear();
    this->release();
  }

  /// The context goes: nothing can be posted to it any more.
  void context_gone() noexcept override {
    this->retain();
    let_go();
    connect_done_ = {};
    receive_done_.clear();
    close_done_.clear();
    this->release();
  }

 private:
  static constexpr int max_informational = 8;

  void start(stream_type stream) {
    this->unschedule(connect_deadline_);  // from here the connection keeps the same deadline
    informational_ = 0;
    close_delivered_ = false;
    connection_ = new connection_type(*this, std::move(stream), role::client);
    connection_->retain();
    connection_->id = current();
    connection_->opening = std::make_unique<client_opening>(head_);
    connection_->start(give_up_at_);
  }

  void opened(connection_type& one) {
    ++this->counters_.opened;
    one.become_open();
    one.opening.reset();
    connect_done_({});
  }

  // The stream works, but no connection will come of it.
  void opening_over(connection_type& one, std::error_code error) {
    connect_failed(error);
    one.dispose(false);
  }

  void connect_failed(std::error_code error) {
    this->unschedule(connect_deadline_);
    if (!connection_) this->disarm();  // else `remove` will: a loop without work may end
    connect_done_(error);
  }

  void give_up_connecting(std::error_code why) {
    ++attempt_;
    connector_->cancel();
    if (connection_) connection_->dispose(true);
    connect_failed(why);
  }

  void finish_waiting(std::error_code why) {
    auto waiting = std::move(receive_done_);
    receive_done_.clear();
    for (auto& done : waiting) done(why, {});
  }

  void let_go() noexcept {
    this->detach();
    ++attempt_;
    connector_.reset();
    if (connection_type* const one = std::exchange(connection_, nullptr)) {
      this->unschedule(*one);
      one->abandon();
      one->release();
    }
  }

  std::error_code gone_call() noexcept {
    ++this->counters_.calls_on_closed;
    return make_error_code(errc::not_open);
  }

  std::optional<typename Policies::transport::connector> connector_;
  http::head_limits head_;
  std::vector<std::string> subprotocols_;
  std::vector<http::header> headers_;
  ws::deflate_options deflate_;
  std::chrono::milliseconds connect_timeout_;
  std::size_t max_received_;
  http::url url_;
  connection_type* connection_ = nullptr;
  wheel_entry connect_deadline_;
  time_point give_up_at_{};
  completion<std::error_code> connect_done_;
  std::vector<completion<std::error_code>> close_done_;
  std::deque<completion<std::error_code, received_message>> receive_done_;
  std::deque<received_message> received_;
  std::uint32_t generation_ = 0;
  std::uint32_t attempt_ = 0;
  int informational_ = 0;
  int status_ = 0;
  bool prepared_ = false;
  bool close_delivered_ = false;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
