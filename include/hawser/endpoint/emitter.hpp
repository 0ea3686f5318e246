// Emitting to one socket: how the next event is sent, and waiting for what comes back.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>

#include <asio/any_io_executor.hpp>
#include <asio/system_executor.hpp>

#include <hawser/endpoint/completion.hpp>
#include <hawser/endpoint/emission.hpp>
#include <hawser/endpoint/event_host.hpp>

namespace hawser::inline HAWSER_ABI {

/// Emits, and has the handler read what is acknowledged.
template <ack_handler Handler>
void emit_acknowledged(event_host& by, socket_id to, payload_source what, emit_flags const& how,
                       Handler&& handler) {
  by.emit_with_ack(to, what, how,
                   [handler = std::decay_t<Handler>(std::forward<Handler>(handler))](
                       std::error_code error, value const& arguments) mutable {
                     call_acknowledged(handler, error, arguments);
                   });
}

/// Where what waits for a host completes: anywhere, once the host is gone. A template, since making
/// an `any_io_executor` of that kind costs a compiler a lot: only those pay for it who wait.
template <class Anywhere = asio::system_executor>
asio::any_io_executor executor_of(event_host* at) {
  return at ? at->any_executor() : asio::any_io_executor(Anywhere());
}

/// A socket, of a server or a client, and how the next event to it is sent.
template <class Socket>
class basic_emitter : public emits_events<basic_emitter<Socket>> {
 public:
  [[nodiscard]] basic_emitter unreliable() const {
    return changed([](auto& f) { f.droppable = true; });
  }
  [[nodiscard]] basic_emitter compress(bool yes) const {
    return changed([yes](auto& f) { f.compress = yes; });
  }
  [[nodiscard]] basic_emitter timeout(std::chrono::milliseconds time) const {
    return changed([time](auto& f) { f.timeout = time; });
  }

  template <class... Results, class... ArgsAndToken>
  auto async_emit_with_ack(std::string_view name, ArgsAndToken&&... all) const {
    constexpr std::size_t count = sizeof...(ArgsAndToken) - 1;
    auto packed = std::forward_as_tuple(std::forward<ArgsAndToken>(all)...);
    asio::any_io_executor const executor = executor_of(event_host::of(to_.anchored()));
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      // The encoding happens when the operation starts, with arguments that it keeps.
      return initiate<std::error_code, Results...>(
          executor, std::get<count>(std::move(packed)),
          [self = *this, name = std::string(name),
           arguments = std::tuple<std::decay_t<std::tuple_element_t<I, decltype(packed)>>...>(
               std::get<I>(std::move(packed))...)](
              completion<std::error_code, Results...> done) mutable {
            self.template start<Results...>(name, arguments, std::move(done),
                                            std::index_sequence<I...>());
          });
    }(std::make_index_sequence<count>());
  }

  /// For the library.
  basic_emitter(Socket to, emit_flags how) noexcept : to_(std::move(to)), how_(how) {}
  emit_flags const& flags() const noexcept { return how_; }

 private:
  friend class emits_events<basic_emitter>;

  template <class Change>
  basic_emitter changed(Change&& change) const {
    basic_emitter copy(*this);
    change(copy.how_);
    return copy;
  }
  std::error_code transmit(payload_source what, emit_flags const& how) const {
    auto* const at = event_host::of(to_.anchored());
    return at ? at->emit(to_.number(), what, how) : make_error_code(errc::not_open);
  }
  template <ack_handler Handler>
  void transmit_with_ack(payload_source what, emit_flags const& how, Handler&& handler) const {
    auto* const at = event_host::of(to_.anchored());
    if (at) emit_acknowledged(*at, to_.number(), what, how, std::forward<Handler>(handler));
  }

  // Completes with `operation_aborted` when nobody completes it: the server has gone.
  template <class... Results>
  class waiting {
   public:
    explicit waiting(completion<std::error_code, Results...> done) : done_(std::move(done)) {}
    waiting(waiting&&) noexcept = default;
    ~waiting() {
      if (done_) done_(make_error_code(asio::error::operation_aborted), Results{}...);
    }
    void operator()(std::error_code error, value const& arguments) {
      auto handler = [this](std::error_code outcome, Results... results) {
        done_(outcome, std::move(results)...);
        done_ = {};
      };
      call_acknowledged(handler, error, arguments);
    }

   private:
    completion<std::error_code, Results...> done_;
  };

  template <class... Results, class Arguments, std::size_t... I>
  void start(std::string const& name, Arguments& arguments,
             completion<std::error_code, Results...> done, std::index_sequence<I...>) {
    auto* const at = event_host::of(to_.anchored());
    if (!at) return done(make_error_code(errc::not_open), Results{}...);
    event_payload<std::tuple_element_t<I, Arguments>...> const what(name,
                                                                    std::get<I>(arguments)...);
    at->emit_with_ack(to_.number(), what.source(), how_, waiting<Results...>(std::move(done)));
  }

  Socket to_;
  emit_flags how_;
};

}  // namespace hawser::inline HAWSER_ABI
