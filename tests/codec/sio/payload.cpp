// Payloads against the types of their packets.
#include <hawser/codec/sio/payload.hpp>

#include <catch2/catch.hpp>

#include <cstdint>
#include <string>
#include <string_view>

using namespace hawser;
using sio::check_payload;
using sio::packet_type;

namespace {

constexpr packet_type all_types[] = {
    packet_type::connect,       packet_type::disconnect,   packet_type::event,     packet_type::ack,
    packet_type::connect_error, packet_type::binary_event, packet_type::binary_ack};

bool is_event(packet_type type) {
  return type == packet_type::event || type == packet_type::binary_event;
}

// Of an event whose first argument is what `name` puts on the tape.
template <class Name>
errc made(Name&& name, std::size_t max = 256) {
  value_tape tape;
  tape.begin_array();
  name(tape);
  tape.string("argument");
  tape.end();
  errc const error = check_payload(packet_type::event, tape.root(), max);
  CHECK(check_payload(packet_type::binary_event, tape.root(), max) == error);
  CHECK(check_payload(packet_type::ack, tape.root(), max) == errc{});
  CHECK(check_payload(packet_type::binary_ack, tape.root(), max) == errc{});
  return error;
}

errc named(std::string_view name, std::size_t max = 256) {
  return made([&](value_tape& tape) { tape.string(name); }, max);
}

}  // namespace

TEST_CASE("payload: kinds that each type takes", "[codec][sio]") {
  struct row {
    value_kind kind;
    std::string_view types;  // that take it
  };
  row const rows[] = {
      {value_kind::missing, "01"}, {value_kind::null, ""},      {value_kind::boolean, ""},
      {value_kind::integer, ""},   {value_kind::number, ""},    {value_kind::string, "4"},
      {value_kind::binary, ""},    {value_kind::array, "2356"}, {value_kind::object, "04"}};
  for (auto const& row : rows) {
    value_tape tape;
    switch (row.kind) {
      case value_kind::null: tape.null(); break;
      case value_kind::boolean: tape.boolean(true); break;
      case value_kind::integer: tape.integer(0); break;
      case value_kind::number: tape.number(0.5); break;
      case value_kind::string: tape.string("text"); break;
      case value_kind::binary: tape.binary(as_bytes("bytes")); break;
      case value_kind::array:
        tape.begin_array();
        tape.string("name");
        tape.end();
        break;
      case value_kind::object:
        tape.begin_object();
        tape.end();
        break;
      default: break;
    }
    REQUIRE(tape.root().kind() == row.kind);
    for (packet_type const type : all_types) {
      char const digit = static_cast<char>('0' + static_cast<int>(type));
      CAPTURE(digit, static_cast<int>(row.kind));
      bool const fits = row.types.find(digit) != std::string_view::npos;
      CHECK(check_payload(type, tape.root()) == (fits ? errc{} : errc::bad_packet));
    }
  }
}

TEST_CASE("payload: names of events", "[codec][sio]") {
  CHECK(named("e") == errc{});
  CHECK(named("") == errc{});
  CHECK(named("connection") == errc{});
  CHECK(named("Connect") == errc{});
  for (auto const reserved : {"connect", "connect_error", "disconnect", "disconnecting",
                              "newListener", "removeListener", "error"}) {
    CHECK(named(reserved) == errc::bad_event_name);
  }
  CHECK(made([](value_tape& t) { t.integer(0); }) == errc{});
  CHECK(made([](value_tape& t) { t.integer(-7); }) == errc{});
  CHECK(made([](value_tape& t) { t.integer(INT64_MIN); }) == errc{});
  CHECK(made([](value_tape& t) { t.unsigned_integer(UINT64_MAX); }) == errc{});
  CHECK(made([](value_tape& t) { t.number(3.0); }) == errc{});
  CHECK(made([](value_tape& t) { t.number(3.5); }) == errc::bad_event_name);
  CHECK(made([](value_tape& t) { t.number(1e300); }) == errc::bad_event_name);
  CHECK(made([](value_tape& t) { t.null(); }) == errc::bad_event_name);
  CHECK(made([](value_tape& t) { t.boolean(true); }) == errc::bad_event_name);
  CHECK(made([](value_tape& t) { t.binary(as_bytes("e")); }) == errc::bad_event_name);
  for (bool const array : {true, false}) {
    CHECK(made([&](value_tape& t) {
            array ? t.begin_array() : t.begin_object();
            t.end();
          }) == errc::bad_event_name);
  }
  for (packet_type const type : all_types) {
    value_tape empty;
    empty.begin_array();
    empty.end();
    bool const ack = type == packet_type::ack || type == packet_type::binary_ack;
    CHECK(check_payload(type, empty.root()) == (ack              ? errc{}
                                                : is_event(type) ? errc::bad_event_name
                                                                 : errc::bad_packet));
  }
}

TEST_CASE("payload: the length of a name is limited", "[codec][sio]") {
  for (std::size_t const max : {std::size_t{0}, std::size_t{1}, std::size_t{256}}) {
    for (std::size_t size = max == 0 ? 0 : max - 1; size <= max + 1; ++size) {
      CAPTURE(max, size);
      CHECK(named(std::string(size, 'n'), max) == (size <= max ? errc{} : errc::bad_event_name));
    }
  }
  CHECK(named(std::string(64 * 1024, 'n')) == errc::bad_event_name);
}
