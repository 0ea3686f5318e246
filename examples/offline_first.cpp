// Offline first: what you type is on disk before anything else, and arrives once, whatever happens.
// Kill the server, type, kill this program too, start both again: every line arrives, once.
//
//   offline_first --serve --port 3002               the server: prints every note once
//   offline_first --url http://localhost:3002       the client: each line that you type is a note
//
// The client keeps its notes in files that begin with --journal (by default ./notes) until the
// server has acknowledged them. It may send a note twice, when the acknowledgement is lost, so each
// ends with an id that stays the same, and the server looks at it.

#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>
#include <unistd.h>
#include <unordered_set>

#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/read_until.hpp>
#include <asio/steady_timer.hpp>

#include <hawser/client.hpp>
#include <hawser/endpoint/journal_queue.hpp>
#include <hawser/server.hpp>

#include "arguments.hpp"

namespace {

using namespace std::chrono_literals;
using durable = hawser::policies<>::with_offline_queue<hawser::journal_queue>;
using note_client = hawser::basic_client<durable>;

int serve(asio::io_context& io, std::uint16_t port) {
  hawser::server server{io};
  std::unordered_set<std::string> seen;  // a real one keeps it where it keeps the notes
  server.on("note", [&](std::string_view text, std::string id) {
    if (seen.insert(std::move(id)).second) {
      std::printf("%.*s\n", static_cast<int>(text.size()), text.data());
    }
    return true;  // the acknowledgement: the client forgets the note
  });
  if (auto const error = server.listen({.host = "127.0.0.1", .port = port})) {
    std::fprintf(stderr, "offline_first: port %u: %s\n", static_cast<unsigned>(port),
                 error.message().c_str());
    return 1;
  }
  std::printf("listening on port %u\n", static_cast<unsigned>(server.port()));
  io.run();
  return 0;
}

note_client::options numbers(std::string journal) {
  note_client::options made;
  made.offline_queue.path = std::move(journal);
  made.sockets.ack_timeout = 5s;  // then it is sent again
  made.reconnect.max_delay = 2s;
  return made;
}

class notebook {
 public:
  notebook(asio::io_context& io, arguments const& given)
      : client_(io, numbers(given.text("journal", "notes"))),
        input_(io, ::dup(STDIN_FILENO)),
        url_(given.text("url", "http://localhost:3002")) {
    client_.on_connect([this](hawser::client_socket) { tell("connected"); });
    client_.on_disconnect([this](hawser::disconnect_reason why) {
      if (why != hawser::disconnect_reason::io_client_disconnect) tell("the server is away");
    });
  }

  std::error_code start() {
    hawser::client_socket const notes = client_.socket();  // opens the journal
    if (auto const error = client_.offline_queue()->error()) return error;
    if (notes.waiting().messages > 0) tell("from last time");
    if (auto const error = client_.connect(url_)) return error;
    read();
    return {};
  }

 private:
  void tell(char const* what) {
    std::printf("* %s; %zu notes wait\n", what, client_.waiting().messages);
  }

  void read() {
    asio::async_read_until(input_, asio::dynamic_buffer(typed_, 64 * 1024), '\n',
                           [this](std::error_code error, std::size_t size) {
                             if (error) return wait_for_the_last();
                             std::string const line = typed_.substr(0, size - 1);
                             typed_.erase(0, size);
                             auto const failed = client_.emit("note", line);
                             if (failed) std::printf("* not kept: %s\n", failed.message().c_str());
                             read();
                           });
  }

  // Nothing would be lost by leaving earlier.
  void wait_for_the_last() {
    if (client_.waiting().messages == 0) return client_.close();
    pause_.expires_after(100ms);
    pause_.async_wait([this](std::error_code) { wait_for_the_last(); });
  }

  note_client client_;
  asio::posix::stream_descriptor input_;
  asio::steady_timer pause_{client_.get_executor()};
  std::string typed_;
  std::string url_;
};

}  // namespace

int main(int argc, char** argv) {
  arguments const given(argc, argv, {"port", "url", "journal"}, {"serve"});
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  asio::io_context io;
  if (given.has("serve")) return serve(io, given.number<std::uint16_t>("port", 3002));
  notebook here(io, given);
  if (auto const error = here.start()) {
    std::fprintf(stderr, "offline_first: %s\n", error.message().c_str());
    return 1;
  }
  io.run();
}
