// Typed handlers: parameter types are the schema of what arrives.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>

#include <hawser/codec/value/mapping.hpp>
#include <hawser/endpoint/call_signature.hpp>
#include <hawser/endpoint/emission.hpp>
#include <hawser/endpoint/handler_table.hpp>
#include <hawser/endpoint/socket.hpp>

namespace hawser::inline HAWSER_ABI {

/// The right to acknowledge an event, once: at once, or later on the server's thread. Empty when
/// the sender wants no acknowledgement; calling it is a no-op then, as the second time.
template <emittable... Results>
class ack {
 public:
  ack() noexcept = default;
  explicit ack(event_call& of) noexcept : from_(of.from), number_(of.ack) {
    if (number_) at_ = anchor_ref(&of.at);
    from_.generation += of.round;
    of.ack.reset();  // whoever answers, it is this
  }
  ack(ack&& other) noexcept
      : at_(std::move(other.at_)),
        from_(other.from_),
        number_(std::exchange(other.number_, std::nullopt)) {}
  ack& operator=(ack&& other) noexcept {
    at_ = std::move(other.at_);
    from_ = other.from_;
    number_ = std::exchange(other.number_, std::nullopt);
    return *this;
  }

  /// Whether an answer is wanted, and not given.
  explicit operator bool() const noexcept { return number_.has_value(); }

  /// Errors: `not_open`; `dropped` or `send_queue_full` as the backpressure policy decides.
  std::error_code operator()(std::type_identity_t<Results> const&... results) {
    auto const number = std::exchange(number_, std::nullopt);
    auto* const host = event_host::of(at_.get());
    if (!number || !host) return make_error_code(errc::not_open);
    ack_payload<Results...> const what(results...);
    return host->answer(from_, *number, what.source());
  }

 private:
  anchor_ref at_;
  socket_id from_;
  std::optional<std::uint64_t> number_;
};

template <class T>
inline constexpr bool is_ack = false;
template <class... Results>
inline constexpr bool is_ack<ack<Results...>> = true;

template <class T>
inline constexpr bool is_handle = std::same_as<T, socket> || std::same_as<T, client_socket>;

template <class T>
inline constexpr bool is_given = is_handle<T> || std::same_as<T, event_view> || is_ack<T>;

/// What a handler of events may take: `socket` (of a client: `client_socket`) and `event_view` are
/// given, `ack<...>` is the right to acknowledge, everything else is an argument in its place.
template <class P>
concept handler_parameter = is_given<std::remove_cvref_t<P>> || readable<P>;

template <class Parameters>
inline constexpr bool are_handler_parameters = false;
template <class... P>
inline constexpr bool are_handler_parameters<std::tuple<P...>> = (handler_parameter<P> && ...);

/// A function or a lambda that is no template, whose parameters are all of the above.
template <class F>
concept typed_handler = requires { typename call_signature<F>::parameters; } &&
                        are_handler_parameters<typename call_signature<F>::parameters>;

/// Whether a handler takes no handle of the other side's sockets.
template <class Socket, class Parameters>
inline constexpr bool takes_only = false;
template <class Socket, class... P>
inline constexpr bool takes_only<Socket, std::tuple<P...>> =
    ((!is_handle<std::remove_cvref_t<P>> || std::same_as<std::remove_cvref_t<P>, Socket>) && ...);

/// The argument types of a handler, without what is given.
template <class Parameters>
struct argument_types;
template <>
struct argument_types<std::tuple<>> {
  using type = std::tuple<>;
};
template <class First, class... Rest>
struct argument_types<std::tuple<First, Rest...>> {
  using rest = typename argument_types<std::tuple<Rest...>>::type;
  using plain = std::remove_cvref_t<First>;
  using type = std::conditional_t<is_given<plain>, rest,
                                  decltype(std::tuple_cat(std::declval<std::tuple<plain>>(),
                                                          std::declval<rest>()))>;
};

/// Erases a handler of events of a `Socket`. All arguments are read before it is called; if one
/// doesn't fit, it isn't.
template <typed_handler F, class Socket>
class typed_event_handler {
 public:
  explicit typed_event_handler(F handler) : handler_(std::move(handler)) {}

  void operator()(event_call& call) {
    arguments read{};
    if (!read_all(call.what.whole(), read, std::make_index_sequence<count>())) {
      call.error = errc::argument_mismatch;
      return;
    }
    using result = typename call_signature<F>::result;
    if constexpr (std::is_void_v<result>) {
      invoke(call, read, all());
    } else {
      answer(call, invoke(call, read, all()));
    }
  }

 private:
  using parameters = typename call_signature<F>::parameters;
  using arguments = typename argument_types<parameters>::type;
  using all = std::make_index_sequence<std::tuple_size_v<parameters>>;
  static constexpr std::size_t count = std::tuple_size_v<arguments>;

  // One walk over the array: its elements are found by walking.
  template <std::size_t... I>
  static bool read_all(value const& whole, arguments& to, std::index_sequence<I...>) {
    auto const elements = whole.elements();
    auto at = elements.begin();
    auto const end = elements.end();
    auto const next = [&] {
      if (at != end) ++at;
      return at != end ? *at : value();
    };
    (void)next;
    return (read_value(next(), std::get<I>(to)) && ...);
  }

  // How many arguments stand before parameter `I`.
  template <std::size_t I>
  static constexpr std::size_t place() {
    return []<std::size_t... J>(std::index_sequence<J...>) {
      return (std::size_t{0} + ... +
              (is_given<std::remove_cvref_t<std::tuple_element_t<J, parameters>>> ? 0u : 1u));
    }(std::make_index_sequence<I>());
  }

  template <std::size_t I>
  static decltype(auto) parameter(event_call& call, arguments& read) {
    using wanted = std::tuple_element_t<I, parameters>;
    using plain = std::remove_cvref_t<wanted>;
    if constexpr (std::same_as<plain, Socket>) {
      return Socket(call.at, call.from, typename Socket::borrow{});
    } else if constexpr (std::same_as<plain, event_view>) {
      return event_view(call.what);
    } else if constexpr (is_ack<plain>) {
      return plain(call);
    } else if constexpr (std::is_lvalue_reference_v<wanted>) {
      return (std::get<place<I>()>(read));
    } else {
      return std::move(std::get<place<I>()>(read));
    }
  }

  template <std::size_t... I>
  decltype(auto) invoke(event_call& call, arguments& read, std::index_sequence<I...>) {
    return handler_(parameter<I>(call, read)...);
  }

  template <class Result>
  static void answer(event_call& call, Result&& result) {
    using plain = std::remove_cvref_t<Result>;
    if constexpr (std::same_as<plain, std::error_code>) {
      if (!result) return ack<std::nullptr_t>(call)(nullptr), void();
      (void)ack<std::string>(call)(result.message());
    } else {
      static_assert(emittable<plain>,
                    "what a handler returns is the acknowledgement: its type needs a mapping");
      (void)ack<plain>(call)(result);
    }
  }

  F handler_;
};

/// A handler of events for the table. What is none is refused in words.
template <class Socket = socket, class F>
event_handler erase_handler(F handler) {
  constexpr bool has_parameters = requires { typename call_signature<F>::parameters; };
  static_assert(has_parameters,
                "typed_handler: parameter types are the schema of an event, so a handler is a "
                "function or a lambda whose parameters are not `auto`");
  static_assert(!has_parameters || typed_handler<F>,
                "typed_handler: parameters are socket, event_view, ack<...>, or of types with a "
                "mapping to read them (for a struct of your own: HAWSER_FIELDS)");
  if constexpr (typed_handler<F>) {
    constexpr bool of_this_side = takes_only<Socket, typename call_signature<F>::parameters>;
    static_assert(of_this_side,
                  "typed_handler: handlers of a server take `socket`, those of a client take "
                  "`client_socket`");
    if constexpr (of_this_side) return typed_event_handler<F, Socket>(std::move(handler));
  }
  return {};
}

/// Whether a handler can take the arguments of an event.
template <class F, class... Args>
concept handles =
    typed_handler<F> &&
    std::same_as<typename argument_types<typename call_signature<F>::parameters>::type,
                 std::tuple<std::remove_cvref_t<Args>...>>;

// -- a socket's own handlers ---------------------------------------------------------------------

template <class Change>
bool socket::change_own(Change&& change) const {
  auto* const one = record();
  if (!one || one->state == socket_record::stage::over) return false;
  if (!one->own) one->own = std::make_shared<handler_table>();
  change(*one->own);
  return true;
}

template <class Handler>
bool socket::on(std::string_view name, Handler handler) const {
  return change_own([&](auto& own) { own.add(name, erase_handler(std::move(handler))); });
}
template <class Handler>
bool socket::once(std::string_view name, Handler handler) const {
  return change_own([&](auto& own) { own.add(name, erase_handler(std::move(handler)), true); });
}
inline bool socket::off(std::string_view name) const {
  auto* const one = record();
  return one && one->own && one->own->remove(name);
}
template <std::predicate<event_view const&> Guard>
bool socket::use(Guard guard) const {
  return change_own([&](auto& own) {
    auto made = [guard = std::move(guard)](event_call& call) mutable {
      return guard(std::as_const(call.what));
    };
    keep(std::exchange(own.guard, callback<bool(event_call&)>(stable, std::move(made))));
  });
}
template <std::invocable<event_view const&> Handler>
bool socket::on_any(Handler handler) const {
  return change_own([&](auto& own) {
    auto made = [handler = std::move(handler)](event_call& call) mutable {
      handler(std::as_const(call.what));
    };
    keep(std::exchange(own.on_any, callback<void(event_call&)>(stable, std::move(made))));
  });
}
template <std::invocable<event_view const&> Handler>
bool socket::on_any_outgoing(Handler handler) const {
  return change_own([&](auto& own) {
    auto made = [handler = std::move(handler)](event_call& call) mutable {
      handler(std::as_const(call.what));
    };
    keep(std::exchange(own.on_any_outgoing, callback<void(event_call&)>(stable, std::move(made))));
  });
}

}  // namespace hawser::inline HAWSER_ABI
