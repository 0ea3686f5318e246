// A file of a game with twenty typed handlers; the server is compiled elsewhere.
#include <cstdint>
#include <string>

#include <hawser/instances.hpp>

using game_policies = hawser::policies<>;
HAWSER_SERVER_CLASSES(extern template, game_policies);

void add_handlers(hawser::server& server) {
  server.on("move", [](hawser::socket who, float x, float y) {
    who.to("world").emit("move", who.id(), x, y);
  });
  server.on("turn", [](hawser::socket who, double angle) {
    who.to("world").emit("turn", who.id(), angle);
  });
  server.on("jump",
            [](hawser::socket who, int height) { who.to("world").emit("jump", who.id(), height); });
  server.on("crouch", [](hawser::socket who, bool down) {
    who.to("world").emit("crouch", who.id(), down);
    return true;
  });
  server.on("sprint", [](hawser::socket who, bool on, float speed) {
    who.to("world").emit("sprint", who.id(), on, speed);
  });
  server.on("aim", [](hawser::socket who, float yaw, float pitch) {
    who.to("world").emit("aim", who.id(), yaw, pitch);
  });
  server.on("fire", [](hawser::socket who, std::uint32_t target, float power) {
    who.to("world").emit("fire", who.id(), target, power);
  });
  server.on("reload", [](hawser::socket who, std::string weapon) {
    who.to("world").emit("reload", who.id(), weapon);
    return true;
  });
  server.on("swap", [](hawser::socket who, int from, int to) {
    who.to("world").emit("swap", who.id(), from, to);
  });
  server.on("drop", [](hawser::socket who, std::uint32_t item, int count) {
    who.to("world").emit("drop", who.id(), item, count);
  });
  server.on("pick", [](hawser::socket who, float x, float y) {
    who.to("world").emit("pick", who.id(), x, y);
  });
  server.on("use", [](hawser::socket who, double angle) {
    who.to("world").emit("use", who.id(), angle);
    return true;
  });
  server.on("open",
            [](hawser::socket who, int height) { who.to("world").emit("open", who.id(), height); });
  server.on("close",
            [](hawser::socket who, bool down) { who.to("world").emit("close", who.id(), down); });
  server.on("trade", [](hawser::socket who, bool on, float speed) {
    who.to("world").emit("trade", who.id(), on, speed);
  });
  server.on("whisper", [](hawser::socket who, float yaw, float pitch) {
    who.to("world").emit("whisper", who.id(), yaw, pitch);
    return true;
  });
  server.on("shout", [](hawser::socket who, std::uint32_t target, float power) {
    who.to("world").emit("shout", who.id(), target, power);
  });
  server.on("emote", [](hawser::socket who, std::string weapon) {
    who.to("world").emit("emote", who.id(), weapon);
  });
  server.on("vote", [](hawser::socket who, int from, int to) {
    who.to("world").emit("vote", who.id(), from, to);
  });
  server.on("leave", [](hawser::socket who, std::uint32_t item, int count) {
    who.to("world").emit("leave", who.id(), item, count);
    return true;
  });
}
