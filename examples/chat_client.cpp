// Chat in a terminal: a Socket.IO client that talks to the chat example, and to any other server.
// Start `chat --port 3000` first, then
//   chat_client --name Ann                          what you type is said
//   chat_client --url https://example.com           any Socket.IO server
// Every event that arrives is shown. A line "/emit NAME JSON" emits any event, "/quit" leaves, as
// does the end of the input. While the server is away you may go on typing: it arrives later.

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>
#include <unistd.h>

#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/read_until.hpp>

#include <hawser/client.hpp>
#include <hawser/codec/json/parse.hpp>

#include "arguments.hpp"

namespace {

using text = std::string_view;

constexpr hawser::event<"enter", text, text> enter{};  // name, room
constexpr hawser::event<"say", text> say{};

class terminal {
 public:
  terminal(asio::io_context& io, arguments const& given)
      : client_(io),
        input_(io, ::dup(STDIN_FILENO)),
        name_(given.text("name", "somebody")),
        room_(given.text("room", "lobby")),
        url_(given.text("url", "http://localhost:3000")) {
    client_.on_connect([this](hawser::client_socket s) {
      std::printf("* connected as %s, by %.*s\n", name_.c_str(),
                  static_cast<int>(client_.transport().size()), client_.transport().data());
      if (!s.recovered()) client_.emit(enter, name_, room_);
    });
    client_.on_disconnect([](hawser::disconnect_reason why) {
      std::printf("* disconnected: %s\n", std::string(describe(why)).c_str());
    });
    client_.on_error([](hawser::attempt_failure const& why) {
      std::printf("* no connection: %s\n", why.error.message().c_str());
    });
    client_.on_connect_error([](hawser::connect_failure const& why) {
      if (!why.active) std::printf("* refused: %s\n", std::string(why.message).c_str());
    });
    client_.on("said", [](text who, text what) {
      std::printf("%.*s: %.*s\n", static_cast<int>(who.size()), who.data(),
                  static_cast<int>(what.size()), what.data());
    });
    client_.on_any([](hawser::event_view const& event) {
      if (event.name() == "said") return;
      std::printf("* %s %s\n", std::string(event.name()).c_str(),
                  hawser::json(event.whole()).dump().c_str());
    });
  }

  std::error_code start() {
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    if (auto const error = client_.connect(url_)) return error;
    read();
    return {};
  }

 private:
  void read() {
    asio::async_read_until(input_, asio::dynamic_buffer(typed_, 64 * 1024), '\n',
                           [this](std::error_code error, std::size_t size) {
                             if (error) return leave();
                             std::string const line = typed_.substr(0, size - 1);
                             typed_.erase(0, size);
                             if (line == "/quit") return leave();
                             obey(line);
                             read();
                           });
  }

  void obey(std::string const& line) {
    std::error_code failed;
    if (line.starts_with("/emit ")) {
      auto const rest = line.substr(6);
      auto const space = std::min(rest.find(' '), rest.size());
      auto const what = hawser::json::parse(space < rest.size() ? rest.substr(space + 1) : "null");
      failed = what ? client_.emit(rest.substr(0, space), *what) : what.error();
    } else if (!line.empty()) {
      failed = client_.emit(say, line);
    }
    if (failed) std::printf("* not sent: %s\n", failed.message().c_str());
  }

  void leave() {
    input_.close();
    client_.close();  // behind what was said
  }

  hawser::client client_;
  asio::posix::stream_descriptor input_;
  std::string typed_;
  std::string name_, room_, url_;
};

}  // namespace

int main(int argc, char** argv) {
  arguments const given(argc, argv, {"url", "name", "room"});
  asio::io_context io;
  terminal here(io, given);
  if (auto const error = here.start()) {
    std::fprintf(stderr, "chat_client: %s\n", error.message().c_str());
    return 1;
  }
  io.run();
}
