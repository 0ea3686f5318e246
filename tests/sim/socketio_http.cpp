// The HTTP side of Engine.IO: what is refused and why, CORS, cookies, compression, polls that break.
#include "sim/socketio_harness.hpp"

#include <zlib.h>

using namespace sim;

namespace {

std::string gunzip(std::string_view bytes) {
  z_stream stream{};
  REQUIRE(inflateInit2(&stream, 15 + 16) == Z_OK);
  std::string out(100'000, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  CHECK(inflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  inflateEnd(&stream);
  return out;
}

response ask(world& at, std::string const& request) {
  http_peer one(at);
  one.send(request);
  at.run();
  auto const said = one.answer();
  REQUIRE(said);
  return *said;
}

}  // namespace

TEST_CASE("engine: a refusal is told to the hook, with its code", "[sim][socketio][http]") {
  hall house;
  std::vector<std::string> told;
  house.server->on_connection_error([&](hawser::connection_error const& error) {
    told.push_back(std::to_string(static_cast<int>(error.code)) + " " + std::string(error.message));
  });
  house.server->allow_request([](hawser::handshake const& who, hawser::decision d) {
    who.query("token") == "sesame" ? d.accept() : d.reject("say the word");
  });
  http_peer one(house);
  one.get("/socket.io/?EIO=4&transport=smoke");
  one.get(engine_path + "polling&sid=nobody");
  one.get(engine_path + "polling");
  house.run();
  CHECK(one.answer()->body == R"({"code":0,"message":"Transport unknown"})");
  CHECK(one.answer()->body == R"({"code":1,"message":"Session ID unknown"})");
  auto const refused = one.answer();
  CHECK(refused->status == 403);
  CHECK(refused->body == R"({"code":4,"message":"say the word"})");
  CHECK(told == strings{"0 Transport unknown", "1 Session ID unknown", "4 say the word"});
  io_peer two(house, {}, {});
  CHECK(two.status() == 400);
  polling_peer three(house);
  CHECK(three.status == 403);
}

TEST_CASE("engine: only the transports that there are", "[sim][socketio][http]") {
  hall no_polls([](auto& numbers) { numbers.engine.polling = false; });
  CHECK(polling_peer(no_polls).status == 400);
  CHECK(io_peer(no_polls).is_open());
  hall no_sockets([](auto& numbers) { numbers.engine.websocket = false; });
  polling_peer one(no_sockets);
  CHECK(one.status == 200);
  CHECK(one.body.find(R"("upgrades":[])") != std::string::npos);
  CHECK(io_peer(no_sockets).status() == 400);
  hall no_upgrades([](auto& numbers) { numbers.engine.allow_upgrades = false; });
  polling_peer two(no_upgrades);
  CHECK(two.body.find(R"("upgrades":[])") != std::string::npos);
  CHECK(io_peer(no_upgrades, two.sid).status() == 400);
}

TEST_CASE("engine: cross-origin requests, allowed and not", "[sim][socketio][http]") {
  std::string const start = " /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n";
  std::string const ours = "Origin: https://play.example\r\n";
  hall closed;
  auto said = ask(closed, "GET" + start + ours + "\r\n");
  CHECK(said.status == 403);
  CHECK(said.field("Access-Control-Allow-Origin").empty());
  said = ask(closed, "OPTIONS" + start + "Access-Control-Request-Method: POST\r\n\r\n");
  CHECK(said.status == 400);
  CHECK(said.body == R"({"code":2,"message":"Bad handshake method"})");
  CHECK(io_peer(closed, {}, ours).status() == 400);

  hall open([](auto& numbers) {
    numbers.engine.cors = {.origins = {"https://play.example", "https://*.play.example"},
                           .credentials = true,
                           .headers = {"X-Token"}};
  });
  said = ask(open, "GET" + start + ours + "\r\n");
  CHECK(said.status == 200);
  CHECK(said.field("Access-Control-Allow-Origin") == "https://play.example");
  CHECK(said.field("Access-Control-Allow-Credentials") == "true");
  CHECK(said.field("Vary") == "Origin");
  said = ask(open, "OPTIONS" + start + ours + "Access-Control-Request-Method: POST\r\n\r\n");
  CHECK(said.status == 204);
  CHECK(said.field("Access-Control-Allow-Headers") == "Content-Type, X-Token");
  CHECK(said.field("Access-Control-Max-Age") == "600");
  CHECK(io_peer(open, {}, "Origin: https://a.play.example\r\n").is_open());
  for (auto const* const foreign :
       {"https://play.example.evil", "https://evilplay.example", "null", "http://play.example"}) {
    said = ask(open, "GET" + start + "Origin: " + foreign + "\r\n\r\n");
    CHECK(said.status == 403);
    CHECK(said.field("Access-Control-Allow-Origin").empty());
    CHECK(said.field("Vary") == "Origin");
  }
}

TEST_CASE("engine: a cookie for load balancers, if asked for", "[sim][socketio][http]") {
  hall house([](auto& numbers) { numbers.engine.cookie.name = "io"; });
  polling_peer one(house);
  CHECK(one.head.find("Set-Cookie: io=" + one.sid + "; Path=/; HttpOnly; SameSite=Lax") !=
        std::string::npos);
  io_peer two(house);
  CHECK(two.head().find("Set-Cookie: io=") != std::string::npos);
}

TEST_CASE("engine: long answers to polls are compressed for who takes it",
          "[sim][socketio][http]") {
  hall house;
  polling_peer one(house);
  (void)one.join();
  std::string const long_text(5'000, 'x');
  auto const poll = [&](std::string const& extra, auto&& emit) {
    one.poll(extra);
    emit();
    house.run();
    REQUIRE(one.polled() == 200);
    return one.head.find("Content-Encoding: gzip") != std::string::npos;
  };
  auto& s = house.sockets.at(0);
  std::string const takes = "Accept-Encoding: br, gzip;q=0.5\r\n";
  CHECK(poll(takes, [&] { s.emit("e", long_text); }));
  CHECK(gunzip(one.body) == R"(42["e",")" + long_text + R"("])");
  CHECK_FALSE(poll({}, [&] { s.emit("e", long_text); }));
  CHECK_FALSE(poll("Accept-Encoding: gzip;q=0\r\n", [&] { s.emit("e", long_text); }));
  CHECK_FALSE(poll(takes, [&] { s.emit("e", "short"); }));
  CHECK_FALSE(poll(takes, [&] { s.compress(false).emit("e", long_text); }));
}

TEST_CASE("engine: a poll that is refused midway ends its session", "[sim][socketio][http]") {
  hall house([](auto& numbers) { numbers.max_early_bytes = 100; });
  polling_peer one(house);
  (void)one.join();
  one.poll();
  one.polls().send(std::string(200, 'x'));  // behind a request that waits
  house.run();
  house.sockets.at(0).emit("nobody is there");
  house.run(1s);
  CHECK(house.reasons == strings{"transport error"});
  CHECK(house.server->size() == 0);
}

TEST_CASE("engine: pipelined requests behind a poll are answered in order",
          "[sim][socketio][http]") {
  hall house;
  polling_peer one(house);
  (void)one.join();
  one.poll();
  one.polls().get("/socket.io/?EIO=4&transport=smoke");
  house.run();
  CHECK_FALSE(one.polls().answer());
  house.sockets.at(0).emit("e");
  house.run();
  CHECK(one.polls().answer()->body == R"(42["e"])");
  CHECK(one.polls().answer()->status == 400);
}

TEST_CASE("emit: names of internal events go nowhere", "[sim][socketio]") {
  hall house;
  io_peer one(house);
  (void)one.join();
  auto& s = house.sockets.at(0);
  for (auto const* const name : {"connect", "connect_error", "disconnect", "disconnecting",
                                 "newListener", "removeListener", "error"}) {
    CHECK(s.emit(name) == errc::bad_event_name);
    CHECK(house.server->emit(name, 1) == 0);
    std::vector<std::error_code> told;
    s.emit_with_ack(name, [&](std::error_code error) { told.push_back(error); });
    house.server->all().emit_with_ack(
        name, [&](std::error_code error, std::vector<int> const&) { told.push_back(error); });
    house.run();
    CHECK(told == std::vector<std::error_code>(2, error_of(errc::bad_event_name)));
  }
  CHECK(one.packets().empty());
}

TEST_CASE("broadcast: who was left out and has gone leaves nobody else out", "[sim][socketio]") {
  hall house;
  auto one = std::make_unique<io_peer>(house);
  (void)one->join();
  auto const others = house.sockets.at(0).broadcast().to("deck");
  one->close();
  house.run();
  REQUIRE(house.reasons.size() == 1);
  io_peer two(house);  // takes the slot
  (void)two.join();
  house.sockets.at(1).join("deck");
  CHECK(others.emit("e") == 1);
  house.run();
  CHECK(two.packets() == strings{R"(42["e"])"});
}
