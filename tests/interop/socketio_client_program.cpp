// Our Socket.IO client, as the interop tests drive it: see cpp_client_support.mjs.
//
//   socketio_client_program --url URL [--parser json|msgpack] [--transports polling,websocket] ...
//
// Commands, as {"do": ..., "nsp": "/" unless given, ...}:
//   connect, close                  the client; answered by `connected` and `closed`, with an error
//   socket, join, leave             names a namespace, connects it, disconnects it
//   auth {payload}                  by value; without one by callback, which tells `asked`
//   authenticate {payload}          what the callback was asked for
//   emit {name, args, volatile}     ask {id, name, args, timeout}: answered by `answer`
//   respond {name, how}             to an event: "echo" at once; "keep": later, by `answer {with}`
//   status                          answered by `status`
//   sync {id}                       answered by `synced`: everything before it was done

#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "cpp_client_console.hpp"

namespace {

using hawser::client_socket;
using hawser::errc;
using hawser::event_view;

json arguments_of(event_view const& what) {
  json list = json::array();
  for (std::size_t i = 0; i < what.size(); ++i) list.push_back(shown(json(what[i])));
  return list;
}

// An event of as many arguments as a command names.
class given_event {
 public:
  given_event(std::string_view name, json const& arguments) : name_(name) {
    json whole = json::array({json(name)});
    for (json const& one : arguments.elements()) whole.push_back(meant(one));
    packed_ = hawser::pack_event(hawser::json_source(whole));
    good_ = hawser::unpack_event(packed_.view(), tape_);
  }
  bool is_good() const { return good_; }
  event_view view() const { return {name_, tape_.root()}; }

 private:
  std::string name_;
  hawser::byte_buffer packed_;
  hawser::value_tape tape_;
  bool good_ = false;
};

template <class Client>
class driver {
 public:
  driver(asio::io_context& io, arguments const& given, typename Client::options options)
      : url_(given.text("url")), client_(io, std::move(options)), gives_up_(given.has("gives-up")) {
    watch_connection(client_);
    client_.on_open([] { console::say("open"); });
    client_.on_close([](hawser::disconnect_reason why, std::error_code error) {
      console::say("close", json::object({{"reason", describe(why)}, {"error", text_of(error)}}));
    });
    client_.on_upgrade([] { console::say("upgrade"); });
    client_.on_ping([] { console::say("ping"); });
  }

  std::error_code obey(std::string_view what, json const& command) {
    if (what == "connect") {
      client_.async_connect(url_, [](std::error_code error) {
        console::say("connected", json::object({{"error", text_of(error)}}));
      });
      return {};
    }
    if (what == "close") {
      client_.async_close([](std::error_code error) {
        console::say("closed", json::object({{"error", text_of(error)}}));
      });
      return {};
    }
    if (what == "answer") return answer(meant(command["with"]));
    std::string const nsp(command["nsp"].string().value_or("/"));
    client_socket const in = client_.socket(nsp);
    if (!std::exchange(watched_[nsp], true)) watch(in);
    if (what == "socket") return {};
    if (what == "join") return in.connect();
    if (what == "leave") return in.disconnect();
    if (what == "auth") return set_auth(in, nsp, command);
    if (what == "authenticate") return authenticate(nsp, command["payload"]);
    if (what == "emit") return emit(in, command);
    if (what == "ask") return ask(in, command);
    if (what == "respond") return respond(in, command);
    if (what == "status") return tell_status(in);
    return make_error_code(errc::bad_argument);
  }

 private:
  void watch(client_socket in) {
    std::string const nsp(in.nsp());
    in.on_connect([this, nsp](client_socket one) {
      console::say("connect", json::object({{"nsp", nsp},
                                            {"id", one.id()},
                                            {"recovered", one.recovered()},
                                            {"transport", client_.transport()}}));
    });
    in.on_connect_error([nsp](hawser::connect_failure const& why) {
      console::say("connect_error", json::object({{"nsp", nsp},
                                                  {"error", text_of(why.error)},
                                                  {"message", why.message},
                                                  {"data", shown(json(why.data))},
                                                  {"active", why.active}}));
    });
    in.on_disconnect([this, nsp, in](hawser::disconnect_reason why) {
      console::say(
          "disconnect",
          json::object({{"nsp", nsp}, {"reason", describe(why)}, {"active", in.active()}}));
      if (gives_up_) (void)in.disconnect();
    });
    in.on_dropped([nsp](event_view const& what, std::error_code error) {
      console::say("dropped", json::object({{"nsp", nsp},
                                            {"name", what.name()},
                                            {"args", arguments_of(what)},
                                            {"error", text_of(error)}}));
    });
    in.on_any([nsp](event_view const& what) {
      console::say(
          "event",
          json::object({{"nsp", nsp}, {"name", what.name()}, {"args", arguments_of(what)}}));
    });
  }

  std::error_code set_auth(client_socket in, std::string const& nsp, json const& command) {
    if (command.contains("payload")) {
      in.auth(meant(command["payload"]));
    } else {
      in.auth([this, nsp](hawser::auth_reply reply) {
        replies_.insert_or_assign(nsp, std::move(reply));
        console::say("asked", json::object({{"nsp", nsp}}));
      });
    }
    return {};
  }
  std::error_code authenticate(std::string const& nsp, json const& payload) {
    auto const found = replies_.find(nsp);
    if (found == replies_.end()) return make_error_code(errc::bad_argument);
    found->second(meant(payload));
    replies_.erase(found);
    return {};
  }

  std::error_code emit(client_socket in, json const& command) {
    given_event const what(command["name"].string().value_or(""), command["args"]);
    if (!what.is_good()) return make_error_code(errc::bad_argument);
    auto const event = what.view();
    bool const reliable = !command["volatile"].boolean().value_or(false);
    return reliable ? in.emit(event.name(), event) : in.unreliable().emit(event.name(), event);
  }

  std::error_code ask(client_socket in, json const& command) {
    given_event const what(command["name"].string().value_or(""), command["args"]);
    if (!what.is_good()) return make_error_code(errc::bad_argument);
    auto const event = what.view();
    std::chrono::milliseconds const time(command["timeout"].integer().value_or(0));
    using some = std::optional<json>;
    in.timeout(time).emit_with_ack(
        event.name(), event,
        [id = command["id"]](std::error_code error, some first, some second, some third) {
          json list = json::array();
          for (some const& one : {first, second, third}) {
            if (one) list.push_back(shown(*one));
          }
          console::say(
              "answer",
              json::object({{"id", id}, {"error", text_of(error)}, {"args", std::move(list)}}));
        });
    return {};
  }

  std::error_code respond(client_socket in, json const& command) {
    auto const name = command["name"].string().value_or("");
    if (command["how"].string() == "echo") {
      in.on(name, [](event_view const& what, hawser::ack<event_view> done) { done(what); });
    } else {
      in.on(name, [this](event_view const&, hawser::ack<json> done) {
        kept_.push_back(std::move(done));
      });
    }
    return {};
  }
  std::error_code answer(json const& with) {
    if (kept_.empty()) return make_error_code(errc::bad_argument);
    auto oldest = std::move(kept_.front());
    kept_.pop_front();
    return oldest(with);
  }

  std::error_code tell_status(client_socket in) {
    auto const waiting = in.waiting();
    console::say("status", json::object({{"state", name_of(client_.state())},
                                         {"transport", client_.transport()},
                                         {"http", client_.status()},
                                         {"connected", in.connected()},
                                         {"active", in.active()},
                                         {"id", in.id()},
                                         {"waiting", waiting.messages}}));
    return {};
  }

  std::string url_;
  Client client_;
  bool gives_up_;
  std::map<std::string, bool> watched_;
  std::map<std::string, hawser::auth_reply> replies_;
  std::deque<hawser::ack<json>> kept_;
};

template <class Client>
int run(arguments const& given) {
  using hawser::eio::transport_kind;
  typename Client::options options;
  read_common(given, options);
  auto const transports = given.text("transports", "polling,websocket");
  bool const polls = transports.find("polling") != transports.npos;
  bool const goes_on = transports.find("websocket") != transports.npos;
  options.engine.transports.clear();
  if (polls) options.engine.transports.push_back(transport_kind::polling);
  if (goes_on) options.engine.transports.push_back(transport_kind::websocket);
  if (auto const text = given.text("query"); !text.empty()) {
    auto const end = text.find('=');
    options.engine.query.emplace_back(text.substr(0, end), text.substr(end + 1));
  }
  if (given.has("ack-timeout")) {
    options.sockets.ack_timeout = std::chrono::milliseconds(given.number<int>("ack-timeout", 0));
  }
  if (given.has("retries")) options.sockets.retries = given.number<std::uint32_t>("retries", 0);
  if (given.has("delivery-ids")) options.sockets.delivery_ids = true;

  asio::io_context io;
  console lines(io);
  driver<Client> driven(io, given, std::move(options));
  bool const in_time = lines.run(
      [&](std::string_view what, json const& command) { return driven.obey(what, command); });
  return in_time ? 0 : 3;
}

}  // namespace

int main(int argc, char** argv) {
  arguments const given(
      argc, argv,
      {"url", "parser", "transports", "query", "header", "first-delay", "max-delay",
       "restart-window", "attempts", "connect-timeout", "queue-messages", "ack-timeout", "retries"},
      {"keep-cookies", "delivery-ids", "gives-up"});
  if (given.text("parser", "json") == "msgpack") {
    return run<hawser::basic_client<hawser::policies<>::with_framing<hawser::msgpack_framing>>>(
        given);
  }
  return run<hawser::client>(given);
}
