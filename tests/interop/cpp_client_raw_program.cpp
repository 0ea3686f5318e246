// Our client of raw WebSocket messages, with reconnection and a queue, as the interop tests drive
// it: see cpp_client_support.mjs.
//
// Commands: connect, close {code, reason}, send {data}, status, sync {id}; data is text or binary.

#include "cpp_client_console.hpp"

namespace {

using client = hawser::basic_client<hawser::websocket_policies::with_reconnect<
    hawser::exponential_backoff>::with_offline_queue<hawser::bounded_queue>>;

json data_of(hawser::message_kind kind, hawser::bytes_view data) {
  if (kind == hawser::message_kind::text) return json(hawser::as_text(data));
  return shown(json(data));
}

void watch(client& one) {
  watch_connection(one);
  one.on_open([] { console::say("open"); });
  one.on_message([](hawser::message const& what) {
    console::say("message", json::object({{"data", data_of(what.kind, what.data)}}));
  });
  one.on_close([](hawser::close_event const& event) {
    console::say("close", json::object({{"code", static_cast<unsigned>(event.code)},
                                        {"reason", std::string_view(event.reason)},
                                        {"error", text_of(event.error)}}));
  });
  one.on_dropped([](hawser::dropped_message const& what) {
    console::say("dropped", json::object({{"data", data_of(what.kind, what.data)},
                                          {"error", text_of(make_error_code(what.why))}}));
  });
}

std::error_code obey(client& one, std::string const& url, std::string_view what,
                     json const& command) {
  if (what == "connect") {
    one.async_connect(url, [](std::error_code error) {
      console::say("connected", json::object({{"error", text_of(error)}}));
    });
    return {};
  }
  if (what == "close") {
    auto const code = static_cast<hawser::close_code>(command["code"].integer().value_or(1000));
    one.async_close(code, std::string(command["reason"].string().value_or("")),
                    [](std::error_code error) {
                      console::say("closed", json::object({{"error", text_of(error)}}));
                    });
    return {};
  }
  if (what == "send") {
    json const data = meant(command["data"]);
    if (auto const bytes = data.binary()) return one.send(*bytes);
    return one.send(data.string().value_or(""));
  }
  if (what == "status") {
    console::say("status", json::object({{"state", name_of(one.state())},
                                         {"http", one.status()},
                                         {"waiting", one.waiting().messages}}));
    return {};
  }
  return make_error_code(hawser::errc::bad_argument);
}

}  // namespace

int main(int argc, char** argv) {
  arguments const given(argc, argv,
                        {"url", "header", "first-delay", "max-delay", "restart-window", "attempts",
                         "connect-timeout", "queue-messages", "ping-after", "ping-timeout"},
                        {"keep-cookies"});
  client::options options;
  read_common(given, options);
  auto const time = [&](char const* name, auto& into) {
    into = std::chrono::milliseconds(given.number<std::int64_t>(name, into.count()));
  };
  time("ping-after", options.heartbeat.ping_after);
  time("ping-timeout", options.heartbeat.timeout);
  asio::io_context io;
  console lines(io);
  client one(io, std::move(options));
  watch(one);
  auto const url = given.text("url");
  bool const in_time = lines.run(
      [&](std::string_view what, json const& command) { return obey(one, url, what, command); });
  return in_time ? 0 : 3;
}
