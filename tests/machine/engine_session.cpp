// Engine.IO sessions: every packet from everywhere in every state, and the upgrade against a model.
#include <hawser/machine/engine_session.hpp>

#include <catch2/catch.hpp>

#include <cstddef>
#include <initializer_list>
#include <string_view>

using namespace hawser;
using carrier = engine_session::carrier;
using verdict = engine_session::verdict;
using eio::packet_type;

namespace {

constexpr packet_type all_types[] = {packet_type::open, packet_type::close,   packet_type::ping,
                                     packet_type::pong, packet_type::message, packet_type::upgrade,
                                     packet_type::noop};

eio::packet packet(packet_type type, std::string_view data = {}, bool binary = false) {
  return {type, binary, as_bytes(data)};
}

verdict expected(packet_type type) {
  switch (type) {
    case packet_type::message: return verdict::deliver;
    case packet_type::pong: return verdict::heartbeat;
    case packet_type::ping: return verdict::end_transport_error;
    case packet_type::close: return verdict::end_transport_close;
    default: return verdict::ignore;
  }
}

// What can happen to the probe of a session.
enum class step { begin, probe, upgrade, wrong_probe, binary, message, close, end };
constexpr step all_steps[] = {step::begin,  step::probe,   step::upgrade, step::wrong_probe,
                              step::binary, step::message, step::close,   step::end};

// The rules once more, as the prose has them.
struct model {
  bool polls = true;
  bool has_probe = false;
  bool answered = false;

  bool begin() {
    bool const may = polls && !has_probe;
    if (may) has_probe = true;
    return may;
  }
  verdict said(step what) {
    if (what == step::probe && has_probe && !answered) {
      answered = true;
      return verdict::answer_probe;
    }
    if (what == step::upgrade && answered) {
      *this = {false, false, false};
      return verdict::switch_over;
    }
    return verdict::refuse_probe;
  }
  void end() { has_probe = answered = false; }
};

eio::packet packet_of(step what) {
  switch (what) {
    case step::probe: return packet(packet_type::ping, "probe");
    case step::upgrade: return packet(packet_type::upgrade);
    case step::wrong_probe: return packet(packet_type::ping, "prob");
    case step::binary: return packet(packet_type::message, "probe", true);
    case step::message: return packet(packet_type::message, "2[\"e\"]");
    default: return packet(packet_type::close);
  }
}

std::size_t explore(engine_session const& session, model const& rules, int left) {
  if (left == 0) return 1;
  std::size_t count = 0;
  for (step const what : all_steps) {
    engine_session next = session;
    model wanted = rules;
    if (what == step::begin) {
      REQUIRE(next.begin_probe() == wanted.begin());
    } else if (what == step::end) {
      next.end_probe();
      wanted.end();
    } else {
      // From a probe that nobody let in, too: there is nothing to win by it.
      REQUIRE(next.on_probe_packet(packet_of(what)) == wanted.said(what));
    }
    REQUIRE(next.polls() == wanted.polls);
    REQUIRE(next.is_probed() == wanted.answered);
    REQUIRE(next.carried_by() == (wanted.polls ? carrier::polling : carrier::websocket));
    count += explore(next, wanted, left - 1);
  }
  return count;
}

}  // namespace

TEST_CASE("engine session: what each packet means to its carrier", "[machine][eio]") {
  for (carrier const first : {carrier::polling, carrier::websocket}) {
    engine_session session(first);
    CHECK(session.carried_by() == first);
    CHECK(session.polls() == (first == carrier::polling));
    for (packet_type const type : all_types) {
      for (std::string_view const data : {"", "probe", "anything"}) {
        CHECK(session.on_packet(packet(type, data)) == expected(type));
      }
    }
    CHECK(session.on_packet(packet(packet_type::message, "\x01", true)) == verdict::deliver);
  }
}

TEST_CASE("engine session: the same while it is probed, and behind the upgrade", "[machine][eio]") {
  engine_session session(carrier::polling);
  auto const check = [&] {
    for (packet_type const type : all_types) {
      CHECK(session.on_packet(packet(type, "probe")) == expected(type));
    }
  };
  REQUIRE(session.begin_probe());
  check();
  CHECK_FALSE(session.is_probed());
  REQUIRE(session.on_probe_packet(packet(packet_type::ping, "probe")) == verdict::answer_probe);
  check();
  CHECK(session.is_probed());
  REQUIRE(session.on_probe_packet(packet(packet_type::upgrade)) == verdict::switch_over);
  check();
  CHECK_FALSE(session.is_probed());
  CHECK_FALSE(session.polls());
}

TEST_CASE("engine session: a probe is `probe` to the letter", "[machine][eio]") {
  for (auto const data :
       std::initializer_list<std::string_view>{"", "p", "prob", "probe ", "probed", " probe",
                                               "Probe", "PROBE", std::string_view("probe\0", 6)}) {
    engine_session session(carrier::polling);
    REQUIRE(session.begin_probe());
    CHECK(session.on_probe_packet(packet(packet_type::ping, data)) == verdict::refuse_probe);
    CHECK_FALSE(session.is_probed());
  }
  for (packet_type const type : all_types) {
    if (type == packet_type::ping) continue;
    engine_session session(carrier::polling);
    REQUIRE(session.begin_probe());
    CHECK(session.on_probe_packet(packet(type, "probe")) == verdict::refuse_probe);
    CHECK(session.polls());
  }
}

TEST_CASE("engine session: nothing to take over from a WebSocket", "[machine][eio]") {
  engine_session session(carrier::websocket);
  CHECK_FALSE(session.begin_probe());
  CHECK(session.on_probe_packet(packet(packet_type::ping, "probe")) == verdict::refuse_probe);
  CHECK(session.on_probe_packet(packet(packet_type::upgrade)) == verdict::refuse_probe);
}

TEST_CASE("engine session: every course of an upgrade is the model's", "[machine][eio]") {
  CHECK(explore(engine_session(carrier::polling), {}, 6) == 262'144);
}

TEST_CASE("engine session: reasons in the reference's words, and which of them end it for good",
          "[machine][eio]") {
  struct row {
    disconnect_reason why;
    std::string_view words;
    bool recoverable;
  };
  constexpr row rows[] = {
      {disconnect_reason::transport_error, "transport error", true},
      {disconnect_reason::transport_close, "transport close", true},
      {disconnect_reason::forced_close, "forced close", true},
      {disconnect_reason::ping_timeout, "ping timeout", true},
      {disconnect_reason::parse_error, "parse error", false},
      {disconnect_reason::server_shutting_down, "server shutting down", true},
      {disconnect_reason::forced_server_close, "forced server close", true},
      {disconnect_reason::client_namespace_disconnect, "client namespace disconnect", false},
      {disconnect_reason::server_namespace_disconnect, "server namespace disconnect", false},
  };
  for (auto const& one : rows) {
    CAPTURE(one.words);
    CHECK(describe(one.why) == one.words);
    CHECK(is_recoverable(one.why) == one.recoverable);
  }
}
