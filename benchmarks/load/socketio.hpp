// What a Socket.IO client says and hears, whatever the transport: its greeting and its events.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace load::socketio {

/// The event with this number, as a packet of the main namespace. The server sends `m` back to the
/// sender, and `all` to everybody; the numbers are such that every JSON writer spells them alike.
inline std::string event_packet(bool broadcast, std::size_t number) {
  std::string text = broadcast ? R"(42["all",)" : R"(42["m",)";
  return text.append(std::to_string(100'001 + number)).append(",20.25]");
}

/// Bytes of each such packet, for numbers below 800,000.
inline std::size_t packet_size(bool broadcast) { return event_packet(broadcast, 0).size(); }

/// The request target of the server's endpoint, which is at /socket.io/ unless the URL has a path.
inline std::string endpoint(std::string_view path, bool polling) {
  std::string target(path == "/" ? "/socket.io/" : path);
  target += target.find('?') == target.npos ? '?' : '&';
  return target.append("EIO=4&transport=").append(polling ? "polling" : "websocket");
}

/// The exchange of packets until the server has let the client into the main namespace.
class greeting {
 public:
  /// What the client has to send in answer to this packet, or nothing.
  std::string_view answer(std::string_view packet) {
    if (packet.starts_with('0')) {
      session_ = string_field(packet, "sid");
      if (session_.empty()) failure = "an open packet without a session";
      return "40";
    }
    if (packet == "2") return "3";
    if (packet.starts_with("40")) {
      done = true;
    } else if (packet != "6") {
      failure = packet.starts_with("44") ? "the server refused the namespace"
                                         : "a packet that does not belong into a greeting";
    }
    return {};
  }

  std::string const& session() const noexcept { return session_; }

  bool done = false;
  char const* failure = nullptr;  ///< what was wrong, once something was

 private:
  /// A session's name needs no escapes, so that this is all the JSON there is to read.
  static std::string_view string_field(std::string_view json, std::string_view name) {
    std::string const key = '"' + std::string(name) + R"(":")";
    std::size_t const at = json.find(key);
    if (at == json.npos) return {};
    json.remove_prefix(at + key.size());
    return json.substr(0, json.find('"'));
  }

  std::string session_;
};

}  // namespace load::socketio
