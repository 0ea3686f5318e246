// Emitting: events with a schema, their arguments on the way to a parser, and the verbs.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <hawser/codec/msgpack/parse.hpp>
#include <hawser/codec/value/fields.hpp>
#include <hawser/codec/value/json.hpp>
#include <hawser/codec/value/mapping.hpp>
#include <hawser/endpoint/call_signature.hpp>
#include <hawser/endpoint/event_view.hpp>
#include <hawser/endpoint/event_host.hpp>
#include <hawser/machine/packet_parser.hpp>

namespace hawser::inline HAWSER_ABI {

/// What an event's sender promises.
enum class event_delivery : std::uint8_t {
  reliable,    ///< queued, in order
  unreliable,  ///< dropped for a peer that can't take it now: JavaScript's `volatile`
  latest       ///< with `latest_by_key`, replaces a queued one of the same name and first argument
};
inline constexpr auto reliable = event_delivery::reliable;
inline constexpr auto unreliable = event_delivery::unreliable;
inline constexpr auto latest = event_delivery::latest;

/// A name as a template argument.
template <std::size_t N>
struct event_name {
  char text[N];
  consteval event_name(char const (&name)[N]) { std::copy_n(name, N, text); }
  constexpr std::string_view view() const noexcept { return {text, N - 1}; }
};

/// An event whose name and argument types both sides share: what is emitted and who handles it is
/// checked when compiling, what arrives when it arrives.
///
///     inline constexpr hawser::event<"pos", std::uint32_t, vec2> pos{.delivery = hawser::latest};
template <event_name Name, class... Args>
struct event {
  event_delivery delivery = event_delivery::reliable;
  static constexpr std::string_view name() noexcept { return Name.view(); }
  static_assert(!sio::is_reserved_event(Name.view()), "the name of an internal event");
};

/// Whether these are the arguments of an event.
template <class Event, class... Given>
inline constexpr bool event_takes = false;
template <event_name Name, class... Args, class... Given>
  requires(sizeof...(Args) == sizeof...(Given))
inline constexpr bool event_takes<event<Name, Args...>, Given...> =
    (std::is_convertible_v<Given const&, Args const&> && ...);

/// The name and arguments of an event, by reference: for the duration of one emit.
template <class... Args>
class event_payload {
 public:
  event_payload(std::string_view name, Args const&... arguments) noexcept
      : name_(name), arguments_(arguments...) {}
  payload_source source() const noexcept { return {&write, this, name_}; }

 private:
  static void write(void const* self, value_writer& out, std::string_view offset) {
    auto const& it = *static_cast<event_payload const*>(self);
    std::apply(
        [&](Args const&... argument) {
          out.begin_array((std::size_t{offset.empty() ? 1u : 2u} + ... + argument_count(argument)));
          out.string(it.name_);
          (write_argument(out, argument), ...);
        },
        it.arguments_);
    if (!offset.empty()) out.string(offset);
    out.end_array();
  }

  std::string_view name_;
  std::tuple<Args const&...> arguments_;
};

/// The arguments of an acknowledgement, likewise.
template <class... Args>
class ack_payload {
 public:
  explicit ack_payload(Args const&... arguments) noexcept : arguments_(arguments...) {}
  payload_source source() const noexcept { return {&write, this}; }

 private:
  static void write(void const* self, value_writer& out, std::string_view) {
    std::apply(
        [&](Args const&... argument) {
          out.begin_array((std::size_t{0} + ... + argument_count(argument)));
          (write_argument(out, argument), ...);
        },
        static_cast<ack_payload const*>(self)->arguments_);
    out.end_array();
  }

  std::tuple<Args const&...> arguments_;
};

/// An event that is a value already: the array of its name and arguments.
class value_payload {
 public:
  explicit value_payload(value whole) noexcept : whole_(whole) {}
  payload_source source() const noexcept { return {&write, this}; }

 private:
  static void write(void const* self, value_writer& out, std::string_view offset) {
    value const whole = static_cast<value_payload const*>(self)->whole_;
    out.begin_array(whole.size() + (offset.empty() ? 0 : 1));
    for (value const element : whole.elements()) write_value(out, element);
    if (!offset.empty()) out.string(offset);
    out.end_array();
  }

  value whole_;
};

/// A value of any kind as a payload. Precondition: it lives as long.
inline payload_source json_source(json const& what) noexcept {
  return {[](void const* self, value_writer& out, std::string_view) {
            write_value(out, *static_cast<json const*>(self));
          },
          &what};
}

/// An event's name and arguments as MessagePack, to be kept or handed to another thread.
inline byte_buffer pack_event(payload_source what) {
  byte_buffer bytes;
  value_writer writer(bytes, value_format::msgpack);
  what.write(what.self, writer, {});
  return bytes;
}
/// And back: views of `packed`. False if it is none.
inline bool unpack_event(bytes_view packed, value_tape& out) {
  constexpr std::size_t none = static_cast<std::size_t>(-1);  // what limits peers isn't asked for
  out.clear();
  return parse_msgpack(packed, {none, none, none}, out) == errc{} &&
         out.root().kind() == value_kind::array && out.root().size() > 0;
}

/// The key of `latest`: of the name and of the first argument, a number or a text.
template <class... Args>
std::uint64_t latest_key(std::string_view name, Args const&... arguments) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325u;
  auto const mix = [&hash](std::string_view bytes) {
    for (char const c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  };
  mix(name);
  auto const first = [&](auto const& argument, auto const&...) {
    using type = std::remove_cvref_t<decltype(argument)>;
    if constexpr (std::is_integral_v<type> || std::is_enum_v<type>) {
      hash = (hash ^ static_cast<std::uint64_t>(argument)) * 0x9e3779b97f4a7c15u;
    } else if constexpr (std::is_convertible_v<type const&, std::string_view>) {
      mix(argument);
    }
  };
  if constexpr (sizeof...(Args) > 0) first(arguments...);
  return hash;
}

/// Reads the arguments of an acknowledgement into a handler's parameters, those behind the error,
/// and calls it. Arguments that don't fit are `argument_mismatch`.
template <class Handler>
void call_acknowledged(Handler& handler, std::error_code error, value const& arguments) {
  using parameters = typename call_signature<Handler>::parameters;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    std::tuple<std::remove_cvref_t<std::tuple_element_t<I + 1, parameters>>...> results{};
    if (!error) {
      bool const fits = (read_value(arguments[I], std::get<I>(results)) && ...);
      if (!fits) error = make_error_code(errc::argument_mismatch);
    }
    handler(error, std::get<I>(std::move(results))...);
  }(std::make_index_sequence<std::tuple_size_v<parameters> - 1>());
}

/// A handler of acknowledgements: `void(std::error_code, Results...)`.
template <class Handler>
concept ack_handler = requires {
  typename call_signature<Handler>::parameters;
  requires std::tuple_size_v<typename call_signature<Handler>::parameters> >= 1;
  requires std::is_same_v<
      std::remove_cvref_t<std::tuple_element_t<0, typename call_signature<Handler>::parameters>>,
      std::error_code>;
};

template <class Parameters>
inline constexpr bool takes_list = false;
template <class Error, class List>
inline constexpr bool takes_list<std::tuple<Error, List>> =
    requires { typename std::vector<typename std::remove_cvref_t<List>::value_type>; };

/// One where several answer: `void(std::error_code, std::vector<Result>)`.
template <class Handler>
concept list_ack_handler =
    ack_handler<Handler> && takes_list<typename call_signature<Handler>::parameters>;

/// The verbs of everything that emits. `Sender` has `transmit(payload_source, emit_flags)`, and
/// `transmit_with_ack(payload_source, emit_flags, handler)`, and knows its flags.
///
/// To one socket `emit` answers an error: `not_open`; `bad_event_name` for the name of an internal
/// event; `dropped` or `send_queue_full` as the
/// backpressure policy decides. To several it encodes once and answers how many sockets of this
/// server took the event.
template <class Sender>
class emits_events {
 public:
  /// Sends an event. Arguments are of mapped types (codec/value/mapping.hpp); binary ones become
  /// attachments. Events to one socket leave in the order of the calls.
  template <emittable... Args>
  auto emit(std::string_view name, Args const&... arguments) const {
    event_payload<Args...> const what(name, arguments...);
    return self().transmit(what.source(), self().flags());
  }

  /// Sends an event of a known schema, as it wants to be delivered.
  template <event_name Name, class... Args>
  auto emit(event<Name, Args...> const& what,
            std::type_identity_t<Args> const&... arguments) const {
    emit_flags how = self().flags();
    if (what.delivery == event_delivery::unreliable) how.droppable = true;
    if (what.delivery == event_delivery::latest) how.key = latest_key(what.name(), arguments...);
    event_payload<Args...> const content(what.name(), arguments...);
    return self().transmit(content.source(), how);
  }

  // What can't be sent is refused in words.
  template <class... Args>
    requires(!(emittable<Args> && ...))
  void emit(std::string_view, Args const&...) const {
    static_assert((emittable<Args> && ...),
                  "emittable: an argument's type has no mapping to write it (for a struct of your "
                  "own: HAWSER_FIELDS)");
  }
  template <event_name Name, class... Args, class... Given>
    requires(!event_takes<event<Name, Args...>, Given...>)
  void emit(event<Name, Args...> const&, Given const&...) const {
    static_assert(event_takes<event<Name, Args...>, Given...>,
                  "event_takes: the event has other arguments than these");
  }

  /// For the library: an event that was put together elsewhere.
  auto emit_payload(payload_source what) const { return self().transmit(what, self().flags()); }

  /// Sends an event and calls the handler, which is the last argument, exactly once. For one
  /// socket it is `void(std::error_code, Results...)`, with the arguments that were acknowledged,
  /// or `ack_timeout`, `disconnected`, `argument_mismatch`. For several it is
  /// `void(std::error_code, std::vector<Result>)`, with what the first argument of each was; an
  /// error means that some are missing. Not called after the server has gone.
  template <class... ArgsAndHandler>
  void emit_with_ack(std::string_view name, ArgsAndHandler&&... all) const {
    constexpr std::size_t count = sizeof...(ArgsAndHandler) - 1;
    auto packed = std::forward_as_tuple(std::forward<ArgsAndHandler>(all)...);
    static_assert(ack_handler<std::tuple_element_t<count, decltype(packed)>>,
                  "ack_handler: the last argument is a function or a lambda without `auto`, "
                  "called as void(std::error_code, Results...)");
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      event_payload<std::remove_cvref_t<std::tuple_element_t<I, decltype(packed)>>...> const what(
          name, std::get<I>(packed)...);
      self().transmit_with_ack(what.source(), self().flags(), std::get<count>(std::move(packed)));
    }(std::make_index_sequence<count>());
  }

 private:
  Sender const& self() const noexcept { return static_cast<Sender const&>(*this); }
};

}  // namespace hawser::inline HAWSER_ABI
