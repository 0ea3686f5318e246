// Options of servers that speak Engine.IO and Socket.IO.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/codec/http/origin.hpp>
#include <hawser/machine/recovery.hpp>

namespace hawser::inline HAWSER_ABI {

/// Cross-origin resource sharing for polling. Pages of these origins may connect, also by
/// WebSocket. Off until an origin is named.
struct cors_options {
  std::vector<std::string> origins{};  ///< as in `http::origin_rule::allowed`
  bool credentials = false;            ///< let browsers send cookies
  std::vector<std::string> headers{};  ///< that requests may have beside the simple ones
  std::chrono::seconds max_age{600};   ///< how long a browser may keep the answer to a preflight
};

/// A cookie with the session's id, for load balancers that go by one. Off without a name.
struct engine_cookie {
  std::string name{};
  std::string path = "/";
  bool http_only = true;
  std::string same_site = "Lax";

  /// The value of Set-Cookie.
  std::string text(std::string_view sid) const {
    std::string made = name + "=" + std::string(sid) + "; Path=" + path;
    if (http_only) made += "; HttpOnly";
    if (!same_site.empty()) made += "; SameSite=" + same_site;
    return made;
  }
};

/// Engine.IO: sessions, and how their packets travel.
struct engine_options {
  std::string path = "/socket.io";  ///< requests go to this path with a slash behind it
  bool polling = true;              ///< which transports there are
  bool websocket = true;
  bool allow_upgrades = true;  ///< from polling to WebSocket
  std::chrono::milliseconds upgrade_timeout{10'000};
  std::chrono::milliseconds close_timeout{30'000};  ///< for the poll that takes the last packet
  cors_options cors{};
  engine_cookie cookie{};
  bool compress_polling = true;              ///< gzip, where the browser takes it
  std::size_t compression_threshold = 1024;  ///< bytes of a body
};

/// Socket.IO: what one session and one socket may cost. Beyond `max_` the session is closed, or the
/// call refused.
struct socketio_limits {
  std::chrono::milliseconds connect_timeout{10'000};  ///< of a session in no namespace
  std::chrono::milliseconds decision_timeout{5'000};  ///< for `authenticate` and each `use`
  std::size_t max_pending = 1'024;                    ///< sockets that wait for a decision
  std::size_t max_namespaces = 16;                    ///< of one session
  std::size_t max_connect_errors = 10;                ///< of one session
  std::chrono::milliseconds ack_timeout{10'000};      ///< unless told otherwise
  std::size_t max_acks = 1'024;                       ///< awaited from one socket
  std::size_t max_unknown_acks = 100;                 ///< of one session in 10 s
  std::size_t max_child_namespaces = 10'000;          ///< of all dynamic ones
  bool cleanup_empty_children = true;                 ///< a child goes with its last socket
};

}  // namespace hawser::inline HAWSER_ABI
