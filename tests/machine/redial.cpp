// The states of a client between its connections.
#include <hawser/machine/redial.hpp>

#include <catch2/catch.hpp>

#include <chrono>

using hawser::client_state;
using machine = hawser::redial<hawser::exponential_backoff>;
using step = machine::step;
using std::chrono::milliseconds;

namespace {

constexpr std::uint64_t middle = std::uint64_t{1} << 63;

step fail(machine& of, bool wanted = true) { return of.failed({}, wanted, middle).what; }

}  // namespace

TEST_CASE("an attempt of the user's that succeeds is none of its own", "[machine][redial]") {
  machine at({});
  CHECK(at.state() == client_state::disconnected);
  CHECK(at.begin().what == step::dial);
  CHECK(at.state() == client_state::connecting);
  CHECK(at.begin().what == step::nothing);
  CHECK(at.opened() == 0);
  CHECK(at.state() == client_state::connected);
  CHECK(at.begin().what == step::nothing);
}

TEST_CASE("a lost connection is dialled again, by number", "[machine][redial]") {
  machine at({});
  (void)at.begin();
  (void)at.opened();
  auto const first = at.failed({}, true, middle);
  CHECK(first.what == step::dial_later);
  CHECK(first.delay == milliseconds(1000));
  CHECK(at.state() == client_state::reconnecting);
  CHECK(at.waits());
  CHECK(at.attempt() == 1);
  CHECK(at.due().what == step::dial);
  CHECK(at.due().what == step::nothing);  // it is under way
  auto const second = at.failed({}, true, middle);
  CHECK(second.delay == milliseconds(2000));
  CHECK(at.attempt() == 2);
  CHECK(at.due().what == step::dial);
  CHECK(at.opened() == 2);
  CHECK(at.failed({}, true, middle).delay == milliseconds(1000));  // it begins anew
  CHECK(at.attempt() == 1);
}

TEST_CASE("a first attempt that fails is repeated too", "[machine][redial]") {
  machine at({});
  (void)at.begin();
  CHECK(fail(at) == step::dial_later);
  CHECK(at.state() == client_state::reconnecting);
}

TEST_CASE("a user who can't wait is served at once", "[machine][redial]") {
  machine at({});
  (void)at.begin();
  (void)fail(at);
  CHECK(at.begin().what == step::dial);
  CHECK_FALSE(at.waits());
  CHECK(at.due().what == step::nothing);
  CHECK(at.attempt() == 1);
}

TEST_CASE("attempts end, and the user may begin again", "[machine][redial]") {
  machine at({.attempts = 1});
  (void)at.begin();
  CHECK(fail(at) == step::dial_later);
  (void)at.due();
  CHECK(fail(at) == step::give_up);
  CHECK(at.state() == client_state::disconnected);
  CHECK(fail(at) == step::nothing);
  CHECK(at.begin().what == step::dial);
  CHECK(fail(at) == step::dial_later);
}

TEST_CASE("a refusal is not argued with", "[machine][redial]") {
  machine at({});
  (void)at.begin();
  (void)at.opened();
  CHECK(fail(at, false) == step::nothing);
  CHECK(at.state() == client_state::disconnected);
}

TEST_CASE("nobody who closed is brought back", "[machine][redial]") {
  machine at({});
  (void)at.begin();
  (void)at.opened();
  CHECK(at.close());
  CHECK(at.state() == client_state::disconnecting);
  CHECK_FALSE(at.close());
  CHECK(fail(at) == step::nothing);
  CHECK(at.state() == client_state::disconnecting);
  at.end();
  CHECK(at.state() == client_state::disconnected);
  (void)at.begin();
  (void)fail(at);
  CHECK_FALSE(at.close());  // while an attempt waits
  CHECK(at.state() == client_state::disconnected);
  CHECK(at.due().what == step::nothing);
}

TEST_CASE("without reconnection one attempt is all", "[machine][redial]") {
  hawser::redial<hawser::no_reconnect> at({});
  CHECK(at.begin().what == decltype(at)::step::dial);
  CHECK(at.failed({}, true, 1).what == decltype(at)::step::nothing);
  CHECK(at.state() == client_state::disconnected);
}
