// What the peers of a Socket.IO server say to it: requests, packets in either transport, and what
// they remember of the answers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hawser/codec/base64.hpp>
#include <hawser/codec/value/json.hpp>
#include <hawser/machine/packet_parser.hpp>

#include "script.hpp"

namespace hawser_fuzz {

using hawser::json;
namespace sio = hawser::sio;

/// What peers find out: ids and secrets of sessions, to come back with.
struct secrets {
  std::array<std::string, 3> sids{};  // of Engine.IO sessions, in turn
  std::string pid, offset;            // of a Socket.IO session
  std::size_t next = 0;

  void read(std::string_view heard) {
    for (std::size_t at = 0; (at = heard.find("0{\"sid\":\"", at)) != heard.npos; at += 9) {
      sids[next++ % sids.size()] = heard.substr(at + 9, 24);
    }
    keep(pid, "pid", heard);
    keep(offset, "offset", heard);
  }

 private:
  // In both formats some bytes are between a key and its value, and none of its characters are
  // among them.
  static void keep(std::string& to, std::string_view key, std::string_view heard) {
    auto const key_at = heard.rfind(key);
    if (key_at == heard.npos) return;
    constexpr std::string_view letters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    auto const begin = heard.find_first_of(letters, key_at + key.size());
    if (begin == heard.npos) return;
    to = heard.substr(begin, heard.find_first_not_of(letters, begin) - begin);
  }
};

inline std::string ask(std::string_view query, std::string_view extra = {}) {
  return "GET /socket.io/?EIO=4&" + std::string(query) + " HTTP/1.1\r\nHost: a\r\n" +
         std::string(extra) + "\r\n";
}
inline std::string upgrade(std::string_view query, bool deflate) {
  std::string extra =
      "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  if (deflate) extra += "Sec-WebSocket-Extensions: permessage-deflate\r\n";
  return ask(query, extra);
}
inline std::string post(std::string_view sid, std::string_view body) {
  return "POST /socket.io/?EIO=4&transport=polling&sid=" + std::string(sid) +
         " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

/// One message and those behind it, as frames or as a polling body.
inline std::string encoded(hawser::encoded_packet const& what, bool polls) {
  std::string all;
  auto const add = [&](hawser::message_kind kind, hawser::bytes_view data) {
    bool const text = kind == hawser::message_kind::text;
    if (!polls) {
      all += frame(text ? 0x81 : 0x82, hawser::as_text(data), true);
      return;
    }
    if (!all.empty()) all += '\x1e';
    all += text ? std::string(hawser::as_text(data)) : "b" + hawser::codec::base64_encode(data);
  };
  add(what.kind, what.main);
  for (auto const one : what.attachments) add(hawser::message_kind::binary, one);
  return all;
}

/// An event that some handler takes, or nearly.
inline json some_event(std::uint8_t code) {
  static constexpr char const* names[] = {"m", "v", "j", "l", "t", "b", "p",  "u",   "k", "q",
                                          "a", "A", "f", "x", "d", "c", "D",  "J",   "L", "s",
                                          "o", "O", "h", "n", "X", "m", "no", "off", "zz"};
  json made = json::array({names[code % std::size(names)]});
  switch (code % 7) {
    case 0: made.push_back(json(code % 10)); break;
    case 1: made.push_back(json(1)), made.push_back(json(2.5)); break;
    case 2: made.push_back(json("all")), made.push_back(json::object({{"a", 1}})); break;
    case 3: made.push_back(json("few")), made.push_back(json(std::vector<std::byte>(5))); break;
    case 4: made.push_back(json(std::vector<std::byte>(3))); break;
    case 5: made.push_back(json(code % 2 == 0)); break;
    default: break;
  }
  return made;
}

/// Writes packets that mean something.
template <class Parser>
class packet_writer {
 public:
  /// A packet that means something, for either transport: `polls` is its form in a polling body.
  std::string packet(script& input, secrets const& known, bool polls) {
    static constexpr std::string_view names[] = {"/", "/chat", "/d1", "/d2", "/no"};
    hawser::outgoing_packet made{.nsp = names[input.byte() % std::size(names)]};
    json content;
    switch (std::uint8_t const what = input.byte(); what % 8) {
      case 0: made.type = sio::packet_type::connect; break;
      case 1:
        made.type = sio::packet_type::connect;
        content = json::object({{"pid", known.pid}, {"offset", known.offset}});
        break;
      case 2:
        made.type = sio::packet_type::connect;
        content = what % 16 == 2 ? json::object({{"late", true}}) : json::object({{"throw", 1}});
        break;
      case 3: made.type = sio::packet_type::disconnect; break;
      case 4:
        made.type = sio::packet_type::ack;
        made.id = input.byte() % 8;
        content = json::array({"yes"});
        break;
      default:
        if (what % 8 == 5) made.id = what;
        content = some_event(input.byte());
    }
    if (!content.is_null()) {
      made.payload = {[](void const* self, hawser::value_writer& out, std::string_view) {
                        write_value(out, *static_cast<json const*>(self));
                      },
                      &content};
    }
    return encoded(parser_.encode(made), polls);
  }

  std::string connect(std::string_view nsp) {
    return encoded(parser_.encode({.type = sio::packet_type::connect, .nsp = nsp}), false);
  }

 private:
  Parser parser_{hawser::packet_limits()};
};

}  // namespace hawser_fuzz
