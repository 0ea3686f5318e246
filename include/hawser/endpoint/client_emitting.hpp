// What a Socket.IO client sends: at once, when there is a connection, or until it is acknowledged.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

#include <hawser/codec/base64.hpp>
#include <hawser/endpoint/client_socket.hpp>
#include <hawser/endpoint/engine_client.hpp>
#include <hawser/endpoint/waiting_nsp.hpp>
#include <hawser/machine/ack_table.hpp>
#include <hawser/policy/offline_queue.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// Fifth layer of `socketio_client_core` (`Derived`): the namespaces' ways out.
template <class Derived, class Policies>
class client_emitting : public engine_client<Derived, Policies> {
 public:
  using base = engine_client<Derived, Policies>;
  using queue_type = typename Policies::offline_queue;

  using nsp_type = waiting_nsp<queue_type>;

  // -- emitting ----------------------------------------------------------------------------------

  std::error_code emit(socket_id id, payload_source what, emit_flags const& how) override {
    nsp_type* const to = nsp_at(id);
    if (!to || this->gone()) return this->gone_call();
    if (what.is_reserved()) [[unlikely]]
      return make_error_code(errc::bad_event_name);
    typename base::turn const held(*this);
    if (to->handlers->on_any_outgoing) [[unlikely]] {
      observe(*to, what);
      if (this->gone()) return make_error_code(errc::not_open);
    }
    if (how.droppable || (!confirms_ && is_through(*to))) return send_or_drop(*to, what, how, {});
    auto const queued = push(*to, what, how);
    if (!queued) return queued.error();
    send_queued(*to);
    return {};
  }

  void emit_with_ack(socket_id id, payload_source what, emit_flags const& how,
                     ack_callback told) override {
    nsp_type* const to = nsp_at(id);
    typename base::turn const held(*this);
    std::error_code failed = to && !this->gone() ? std::error_code() : this->gone_call();
    if (!failed && what.is_reserved()) failed = make_error_code(errc::bad_event_name);
    if (!failed && to->handlers->on_any_outgoing) {
      observe(*to, what);
      if (this->gone()) return;
    }
    if (!failed) failed = start(*to, what, how, told);
    if (failed && told) this->fenced([&] { told(failed, value()); });
  }

  std::error_code answer(socket_id id, std::uint64_t ack, payload_source what) override {
    nsp_type* const to = nsp_at(id);
    if (!to || this->gone()) return this->gone_call();
    bool const asked = to->is == client_nsp::stage::connected && id.generation == to->round;
    if (!asked) return make_error_code(errc::not_open);  // numbers begin anew with each server
    return this->send(
        parser_.encode(
            {.type = sio::packet_type::ack, .nsp = to->name, .id = ack, .payload = what}),
        {});
  }

  backlog queued(socket_id) override { return this->sent_backlog(); }
  backlog waiting(socket_id which) override {
    nsp_type* const one = nsp_at(which);
    return one ? one->queue->size() : backlog{};
  }

  /// What had to wait has been taken by the connection.
  void carrier_drained() {
    for (std::size_t i = 0; i < nsps_.size() && !this->gone(); ++i) send_queued(*nsps_[i]);
  }

 protected:
  using parser = typename Policies::framing::parser;

  client_emitting(typename base::executor_type executor, client_options<Policies>& options)
      : base(std::move(executor), options),
        parser_(Policies::framing::packet_numbers(options.framing)),
        sockets_(options.sockets),
        queue_numbers_(std::move(options.offline_queue)),
        acks_(static_cast<std::uint8_t>(client_deadline::ack), sockets_.max_acks),
        confirms_(queue_type::is_durable || sockets_.retries.value_or(0) > 0),
        marks_(sockets_.delivery_ids.value_or(queue_type::is_durable)) {}

  nsp_type* nsp_at(socket_id id) noexcept {
    return id.slot < nsps_.size() ? nsps_[id.slot].get() : nullptr;
  }

  /// What waits is sent, as much as the connection takes; one event at a time where each is to be
  /// acknowledged.
  void send_queued(nsp_type& of) {
    if (of.is == client_nsp::stage::connected) {
      confirms_ ? send_next(of) : send_all(of);
    }
    tell_dropped(of);
  }

  /// The connection has gone. What it carried isn't acknowledged any more; what waits, waits.
  void forget_sent(nsp_type& of) {
    auto const stays = [&](std::uint64_t id) {
      return std::any_of(of.queued_acks.begin(), of.queued_acks.end(),
                         [id](auto const& one) { return one.second == id; });
    };
    auto lost = acks_.take_all(of.owner(), stays);
    for (auto& told : lost) {
      if (this->gone()) return;
      this->fenced([&] { told(make_error_code(errc::disconnected), value()); });
    }
  }

  void on_ack_deadline(ack_table::entry& entry) {
    nsp_type& of = *nsp_at({static_cast<std::uint32_t>(entry.owner()), 0});
    auto const number = entry.id();
    ++this->counters_.ack_timeouts;
    ack_callback told = acks_.take(entry);
    // What nobody waits for any more need not be sent.
    auto const queued = std::find_if(of.queued_acks.begin(), of.queued_acks.end(),
                                     [&](auto const& one) { return one.second == number; });
    if (queued != of.queued_acks.end()) {
      (void)of.queue->remove(queued->first);
      of.queued_acks.erase(queued);
    }
    this->fenced([&] { told(make_error_code(errc::ack_timeout), value()); });
  }

  parser parser_;
  client_socket_options sockets_;
  typename queue_type::options queue_numbers_;
  std::vector<std::unique_ptr<nsp_type>> nsps_;
  ack_table acks_;

 private:
  // Whether an event leaves at once, ahead of nothing.
  bool is_through(nsp_type const& to) const noexcept {
    return to.is == client_nsp::stage::connected && to.queue->size().messages == 0;
  }

  std::error_code send_or_drop(nsp_type& to, payload_source what, emit_flags const& how,
                               std::optional<std::uint64_t> ack) {
    if (to.is != client_nsp::stage::connected) {
      ++this->counters_.messages_dropped;
      return make_error_code(errc::dropped);
    }
    return this->send(parser_.encode({.nsp = to.name, .id = ack, .payload = what}), how);
  }

  // Starts to wait for an acknowledgement. An error: `told` is still to be told.
  std::error_code start(nsp_type& to, payload_source what, emit_flags const& how,
                        ack_callback& told) {
    bool const waits_in_queue = !how.droppable && (confirms_ || !is_through(to));
    if (waits_in_queue && confirms_) {
      if (to.owners.size() >= sockets_.max_acks) return make_error_code(errc::too_many_acks);
      auto const queued = push(to, what, how);
      if (!queued) return queued.error();
      to.owners.emplace(*queued, event_owner{std::move(told), how.timeout});
      told = {};
      send_queued(to);
      return {};
    }
    std::uint64_t const number = to.next_ack++;
    if (!await(to, number, how.timeout, told)) return make_error_code(errc::too_many_acks);
    std::error_code failed;
    if (waits_in_queue) {
      auto const queued = push(to, what, how);
      if (queued) to.queued_acks.emplace(*queued, number);
      failed = queued ? std::error_code() : queued.error();
    } else {
      failed = send_or_drop(to, what, how, number);
    }
    if (failed) {
      told = acks_.take(to.owner(), number);
    } else if (waits_in_queue) {
      send_queued(to);
    }
    return failed;
  }

  bool await(nsp_type& to, std::uint64_t number, std::chrono::milliseconds timeout,
             ack_callback& told) {
    auto* const entry = acks_.add(to.owner(), number, told);
    if (!entry) return false;
    if (timeout.count() <= 0) timeout = sockets_.ack_timeout;
    if (timeout.count() > 0) this->schedule(*entry, this->now() + timeout);
    return true;
  }

  // -- the offline queue -------------------------------------------------------------------------

  result<std::uint64_t> push(nsp_type& to, payload_source what, emit_flags const& how) {
    if (this->state() == client_state::disconnecting) return errc::not_open;
    byte_buffer const packed = pack_event(what);
    auto const queued = to.queue->push(message_kind::binary, packed.view(), how.key, this->now());
    if (!queued) tell_dropped(to);
    return queued;
  }

  void send_all(nsp_type& of) {
    bool hurried = false;
    while (!this->gone() && of.is == client_nsp::stage::connected &&
           of.queue->size().messages > 0) {
      queued_message const* const next = of.queue->front(this->now());
      if (!next) return;
      std::uint64_t const id = next->id;
      auto const ack = of.queued_acks.find(id);
      std::optional<std::uint64_t> number;
      if (ack != of.queued_acks.end()) number = ack->second;
      if (unpack_event(next->data, tape_)) {
        value_payload const content(tape_.root());
        auto const packet =
            parser_.encode({.nsp = of.name, .id = number, .payload = content.source()});
        if (!this->takes(packet)) {
          if (std::exchange(hurried, true)) return;  // goes on when it has drained
          this->hurry_carrier();                     // which may change the queue, too
          continue;
        }
        hurried = false;
        if (this->send(packet, {.key = next->key})) return;
      }
      if (number) of.queued_acks.erase(id);
      (void)of.queue->remove(id);
    }
  }

  // -- events that are to be acknowledged --------------------------------------------------------

  void send_next(nsp_type& of) {
    if (of.in_flight || this->gone()) return;
    queued_message const* const next = of.queue->front(this->now());
    if (!next) return;
    if (!unpack_event(next->data, tape_)) {
      (void)of.queue->remove(next->id);
      return send_next(of);
    }
    of.in_flight = next->id;
    of.flight_ack = of.next_ack++;
    ack_callback told([this, &of](std::error_code error, value const& arguments) {
      landed(of, error, arguments);
    });
    std::chrono::milliseconds timeout{};
    if (auto const owner = of.owners.find(next->id); owner != of.owners.end()) {
      timeout = owner->second.timeout;
    }
    if (!await(of, of.flight_ack, timeout, told)) {
      of.in_flight.reset();
      return;
    }
    std::string id;
    if (marks_) id = delivery_id(of, next->id);
    value_payload const content(tape_.root());
    auto const failed = this->send(
        parser_.encode(
            {.nsp = of.name, .id = of.flight_ack, .payload = content.source(), .offset = id}),
        {.key = next->key});
    if (!failed) {
      ++of.tries;
      return;
    }
    (void)acks_.take(of.owner(), of.flight_ack);
    of.in_flight.reset();
  }

  // It was acknowledged; or it is sent again, unless it was the last time.
  void landed(nsp_type& of, std::error_code error, value const& arguments) {
    if (!of.in_flight) return;
    std::uint64_t const id = *std::exchange(of.in_flight, std::nullopt);
    bool const again = error && (error == errc::disconnected || !sockets_.retries ||
                                 of.tries <= *sockets_.retries);
    if (!again) {
      of.tries = 0;
      conclude(of, id, error, arguments);
      if (this->gone()) return;
    }
    send_queued(of);
  }

  void conclude(nsp_type& of, std::uint64_t id, std::error_code error, value const& arguments) {
    ack_callback told;
    if (auto const owner = of.owners.find(id); owner != of.owners.end()) {
      told = std::move(owner->second.told);
      of.owners.erase(owner);
    }
    if (error && !told && of.on_dropped) {
      queued_message const* const given_up = of.queue->front(this->now());
      value_tape tape;
      if (given_up && given_up->id == id && unpack_event(given_up->data, tape)) {
        tell_event(of, tape.root(), error);
        if (this->gone()) return;
      }
    }
    (void)of.queue->remove(id);
    if (told) this->fenced([&] { told(error, arguments); });
  }

  std::string delivery_id(nsp_type& of, std::uint64_t number) {
    if constexpr (requires { of.queue->queue_id(); }) {
      return std::string(of.queue->queue_id()) + "-" + std::to_string(number);
    } else {
      if (of.delivery.empty()) {
        std::array<std::byte, 15> raw;
        this->random()(raw);
        of.delivery = codec::base64url_encode(raw);
      }
      return of.delivery + "-" + std::to_string(number);
    }
  }

  // -- who is told -------------------------------------------------------------------------------

  void tell_dropped(nsp_type& of) {
    while (!this->gone()) {
      auto const one = of.queue->dropped();
      if (!one) return;
      ++this->counters_.messages_dropped;
      auto const error = make_error_code(one->why);
      ack_callback told;
      if (auto const owner = of.owners.find(one->id); owner != of.owners.end()) {
        told = std::move(owner->second.told);
        of.owners.erase(owner);
      } else if (auto const ack = of.queued_acks.find(one->id); ack != of.queued_acks.end()) {
        told = acks_.take(of.owner(), ack->second);
        of.queued_acks.erase(ack);
      }
      if (of.in_flight == one->id) {
        (void)acks_.take(of.owner(), of.flight_ack);
        of.in_flight.reset();
        of.tries = 0;
      }
      if (told) {
        this->fenced([&] { told(error, value()); });
      } else if (of.on_dropped) {
        value_tape tape;
        std::vector<std::byte> const kept(one->data.begin(), one->data.end());
        if (unpack_event(kept, tape)) tell_event(of, tape.root(), error);
      }
    }
  }

  void tell_event(nsp_type& of, value whole, std::error_code error) {
    event_title const title(whole[0]);
    event_view const what(title.name(), whole);
    this->fenced([&] { of.on_dropped(what, error); });
  }

  void observe(nsp_type& of, payload_source what) {
    byte_buffer const packed = pack_event(what);
    value_tape tape;
    if (!unpack_event(packed.view(), tape)) return;
    event_title const title(tape.root()[0]);
    event_call call{this->anchored(), of.at, {title.name(), tape.root()}, {}};
    this->fenced([&] { of.handlers->on_any_outgoing(call); });
  }

  value_tape tape_;  // of what is taken out of a queue
  bool confirms_;    // whether events wait for their acknowledgement, one in flight
  bool marks_;       // whether they carry an id then
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
