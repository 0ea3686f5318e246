// The engine behind `basic_server`: connections in slots, listeners, draining.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <hawser/endpoint/http_front.hpp>
#include <hawser/endpoint/listener.hpp>
#include <hawser/endpoint/server_options.hpp>
#include <hawser/machine/drain.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// What all servers have, whatever they speak. `Derived` gets the connections' events and answers
/// its handles, also after the façade is gone.
template <class Derived, class Policies, class Interface>
class server_core : public http_front<Derived, Policies, Interface> {
 public:
  using base = http_front<Derived, Policies, Interface>;
  using connection_type = connection<Derived>;
  using stream_type = typename Policies::transport::stream;
  using listener_type = listener<Derived>;
  using policies = Policies;
  static constexpr role side = role::server;

  callback<void(std::error_code, std::string_view)> on_error;

  server_core(typename base::executor_type executor, server_options<Policies>& options)
      : base(std::move(executor), options),
        max_connections_(options.max_connections),
        tls_handshake_timeout_(options.tls_handshake_timeout) {}

  // -- listening ---------------------------------------------------------------------------------

  std::error_code listen(listen_address const& where) {
    if (this->gone()) return make_error_code(errc::not_open);
    if (!prepared_) {
      if (auto const error = this->context_.prepare_server()) return error;
      prepared_ = true;
    }
    auto added = std::make_shared<listener_type>(this->derived(), this->context_);
    if (auto const error = added->open(where)) return error;
    listeners_.push_back(std::move(added));
    return {};
  }

  std::uint16_t port() const noexcept { return listeners_.empty() ? 0 : listeners_[0]->port(); }

  /// A listener's wait is over; the listener itself may be gone.
  void on_acceptable(listener_type* which, std::error_code error) {
    typename base::turn const held(*this);
    for (auto const& one : listeners_) {
      if (one.get() != which) continue;
      auto const kept = one;  // its handlers may stop or destroy the server
      return kept->on_acceptable(error);
    }
  }

  void accept_failed(std::error_code error) {
    ++this->counters_.accept_failures;
    this->log()(log_level::warning, "accept_failed", {{"cause", error.message()}});
    if (on_error) this->fenced([&] { on_error(error, "accept"); });
  }

  /// A stream that was accepted.
  void take(stream_type stream) {
    if (connection_type* const one = begin(std::move(stream))) one->release();
  }

  /// Goes on with a connection that the host program accepted.
  void adopt(stream_type stream, mutable_bytes rest, std::optional<http::request> request) {
    bool const nested = this->in_turn();
    typename base::turn const held(*this);
    connection_type* const one = begin(std::move(stream));
    if (!one) return;
    if (request && one->state() == phase::opening) this->adopt_request(*one, std::move(*request));
    // Handlers must not run inside those of another connection.
    if (!rest.empty()) nested ? one->receive_later(rest) : one->receive(rest);
    one->release();
  }

  // -- events of connections ---------------------------------------------------------------------

  /// The connection's stream is closed: its slot is free again.
  void remove(connection_type& one) noexcept {
    if constexpr (requires { this->derived().lost(one); }) this->derived().lost(one);
    this->unschedule(one);
    connection_slot& at = slots_[one.id.slot];
    at.connection = nullptr;
    ++at.generation;
    free_slots_.push_back(one.id.slot);  // reserved when the slot was made
    if (--live_ == 0) this->disarm();
    if (schedule_.began() && open_ == 0) finish_drain();
    one.release();
  }

  void on_deadline(wheel_entry& entry, time_point now) {
    if constexpr (requires { this->derived().on_own_deadline(entry, now); }) {
      if (entry.kind() != 0) return this->derived().on_own_deadline(entry, now);
    }
    if (&entry == &drain_tick_) return drain_some(now);
    for (auto const& at : listeners_) {
      if (&entry != at.get()) continue;
      auto const kept = at;
      return kept->resume();
    }
    static_cast<connection_type&>(entry).on_deadline(now);
  }

  /// The unfinished messages are over their common budget: the largest has to go.
  void shed_partial(connection_type& newest) {
    connection_type* largest = &newest;
    for (connection_slot const& at : slots_) {
      if (at.connection && at.connection->held() > largest->held()) largest = at.connection;
    }
    largest->violate(errc::partial_budget_exceeded, close_code::try_again_later);
  }

  // -- the end -----------------------------------------------------------------------------------

  /// From now on newcomers get 503; those who are here get 1012, spread over the window.
  void drain(drain_plan const& plan, callback<void()> done) {
    if (schedule_.began() || this->gone()) return;
    typename base::turn const held(*this);
    schedule_.begin(plan, this->now(), open_);
    drain_done_ = std::move(done);
    for (connection_slot const& at : slots_) {
      if (at.connection && at.connection->opening) at.connection->opening->turned_away = true;
    }
    drain_some(this->now());
  }

  /// Closes everything now: 1001 where the peer still takes it, close events delivered here.
  void stop() {
    typename base::turn const held(*this);
    close_listeners();
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      connection_type* const one = slots_[i].connection;
      if (!one) continue;
      one->retain();
      if (one->close(close_code::going_away, {}) == std::error_code{}) one->flush();
      one->terminate(make_error_code(asio::error::operation_aborted), false);
      one->release();
    }
  }

  /// The façade goes: nothing is delivered from here on.
  void shut() noexcept {
    this->retain();
    this->detach();
    close_listeners();
    for (connection_slot& at : slots_) {
      if (connection_type* const one = std::exchange(at.connection, nullptr)) {
        this->unschedule(*one);
        one->abandon();
        one->release();
      }
    }
    live_ = open_ = 0;
    if constexpr (requires { this->derived().emptied(); }) this->derived().emptied();
    this->release();
  }
  void context_gone() noexcept override { shut(); }

  connection_type* find_connection(connection_id id) noexcept {
    if (id.slot >= slots_.size() || slots_[id.slot].generation != id.generation) return nullptr;
    return slots_[id.slot].connection;
  }
  std::size_t size() const noexcept { return open_; }

  /// Every open connection, in the order of their slots; the visitor may close them.
  template <class Visit>
  void for_each(Visit&& visit) {
    typename base::turn const held(*this);
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      connection_type* const one = slots_[i].connection;
      if (one && one->is_open()) visit(one->id);
    }
  }

 protected:
  struct connection_slot {
    connection_type* connection = nullptr;
    std::uint32_t generation = 0;
  };

  std::vector<connection_slot> const& slots() const noexcept { return slots_; }

  /// One more peer is open, in the sense of open and close events.
  void count_open() noexcept {
    ++this->counters_.opened;
    ++open_;
  }

  std::size_t max_connections() const noexcept { return max_connections_; }

  /// An open one has ended.
  void count_closed(close_event const& event) {
    ++this->counters_.closed;
    --open_;
    this->log()(log_level::debug, "closed",
                {{"code", std::to_string(static_cast<unsigned>(event.code))},
                 {"cause", event.error ? event.error.message() : std::string()}});
  }

  // Its handler threw: what the peer did can't be handled.
  void blame(connection_type& one) {
    if (!one.is_open()) return;
    (void)one.close(close_code::internal_error, {});
  }

 private:
  static constexpr std::size_t max_turned_away = 1'000;

  // Makes a connection of a stream and keeps it for the caller, who releases it. Null: turned away.
  connection_type* begin(stream_type stream) {
    ++this->counters_.accepted;
    bool const turned_away = schedule_.began() || live_ >= max_connections_;
    // Those that are to be told 503 cost something too: beyond a thousand they are just closed.
    if (turned_away && live_ >= max_connections_ + max_turned_away) {
      ++this->counters_.rejected_full;
      stream.close();
      return nullptr;
    }
    auto* const one = new connection_type(this->derived(), std::move(stream));
    one->retain();
    enter(*one);
    one->opening = this->new_opening();
    one->opening->turned_away = turned_away;
    one->start(this->now() + tls_handshake_timeout_);
    return one;
  }

  void enter(connection_type& one) {
    one.retain();
    std::uint32_t index;
    if (free_slots_.empty()) {
      index = static_cast<std::uint32_t>(slots_.size());
      slots_.emplace_back();
      free_slots_.reserve(slots_.capacity());
    } else {
      index = free_slots_.back();
      free_slots_.pop_back();
    }
    slots_[index].connection = &one;
    one.id = {index, slots_[index].generation};
    ++live_;
  }

  void close_listeners() noexcept {
    for (auto const& at : listeners_) {
      this->unschedule(*at);
      at->close();
    }
    listeners_.clear();
  }

  // Closes as many as the time that has passed is worth.
  void drain_some(time_point now) {
    std::size_t to_close = schedule_.due(now);
    for (; drain_slot_ < this->derived().drainable() && to_close > 0; ++drain_slot_) {
      if (this->derived().drain_one(drain_slot_)) --to_close;
    }
    if (now >= schedule_.deadline()) this->derived().stop();
    if (open_ == 0) return finish_drain();
    this->schedule(drain_tick_, schedule_.next(now));
  }

  void finish_drain() noexcept {
    this->unschedule(drain_tick_);
    if (!drain_done_) return;
    // Not from inside whatever closed the last one.
    (void)this->anchored().mail().push(std::move(drain_done_), 0, true);
    drain_done_.reset();
  }

  std::vector<std::shared_ptr<listener_type>> listeners_;
  std::vector<connection_slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::size_t max_connections_;
  std::chrono::milliseconds tls_handshake_timeout_;
  std::size_t live_ = 0;  // connections, opening and lingering ones included
  std::size_t open_ = 0;  // between their open and close events
  wheel_entry drain_tick_;
  callback<void()> drain_done_;
  drain_schedule schedule_;
  std::size_t drain_slot_ = 0;
  bool prepared_ = false;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
