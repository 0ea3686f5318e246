// Socket.IO over HTTP long-polling: a GET that waits for packets, and POSTs on a second connection.
#pragma once

#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <hawser/codec/http/body.hpp>
#include <hawser/codec/http/parse.hpp>
#include <hawser/codec/http/serialize.hpp>
#include <hawser/codec/http/url.hpp>
#include <hawser/core/buffer.hpp>

#include "socketio.hpp"
#include "traffic.hpp"
#include "unique_fd.hpp"

namespace load {

/// One request at a time and its answer, over a connection that is kept.
class http_exchange {
 public:
  bool waiting() const noexcept { return waiting_; }
  bool all_sent() const noexcept { return sent_ == request_.size(); }
  std::string_view body() const noexcept { return hawser::as_text(body_.view()); }

  void ask(std::string request) {
    request_ = std::move(request);
    sent_ = 0;
    waiting_ = true;
  }

  /// Sends what the socket takes; false when the connection is broken.
  bool flush(int fd) {
    if (all_sent()) return true;
    ssize_t const sent =
        ::send(fd, request_.data() + sent_, request_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    sent_ += static_cast<std::size_t>(sent);
    return true;
  }

  /// True when these bytes complete the answer. Look at `failure` afterwards.
  bool read(std::string_view bytes) {
    if (!reader_) {
      auto const head = head_.parse(bytes);
      if (head.error) failure = "an answer that is not HTTP";
      if (!head.done) return false;
      auto const answer = head_.take();
      if (answer.status() != 200) failure = "an answer with another status than 200";
      body_.clear();
      reader_.emplace(answer, max_body_size);
      bytes.remove_prefix(head.consumed);
    }
    auto const read = reader_->parse(bytes, body_);
    if (read.error) failure = "an answer whose body is broken";
    if (failure || !reader_->done()) return false;
    if (!waiting_ || read.consumed < bytes.size()) failure = "an answer that nobody asked for";
    reader_.reset();
    waiting_ = false;
    return failure == nullptr;
  }

  char const* failure = nullptr;  ///< what was wrong, once something was
  bool write_armed = false;       ///< epoll watches for writability

 private:
  static constexpr std::size_t max_body_size = 64 * 1024 * 1024;

  std::string request_;
  std::size_t sent_ = 0;
  bool waiting_ = false;
  hawser::http::response_parser head_;
  std::optional<hawser::http::body_reader> reader_;
  hawser::byte_buffer body_;
};

/// The session on top of the two.
class polling_session {
 public:
  /// `at` is the endpoint and has to live on. Begins to ask for a session.
  explicit polling_session(hawser::http::url const& at) : at_(at) { get.ask(get_request()); }

  http_exchange get;
  http_exchange post;
  unique_fd post_socket;          ///< opened when there is something to post
  char const* failure = nullptr;  ///< what was wrong, once something was

  bool greeted() const noexcept { return greeting_.done; }
  bool all_posted() const noexcept { return queue_.empty() && !post.waiting(); }

  void queue_packet(std::string_view packet) {
    if (!queue_.empty()) queue_ += separator;
    queue_ += packet;
  }

  void queue_events(traffic const& plan, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      queue_packet(plan.event(next_sent_));
      if (++next_sent_ == plan.tags()) next_sent_ = 0;
    }
  }

  /// Posts all that waits, unless an earlier POST is not answered yet.
  void post_queue() {
    if (queue_.empty() || post.waiting()) return;
    auto writer = request("POST");
    writer.add("Content-Type", "text/plain;charset=UTF-8");
    writer.add("Content-Length", std::to_string(queue_.size()));
    post.ask(std::move(*std::move(writer).finish()) + queue_);
    queue_.clear();
  }

  /// How many events were finished by these bytes of one of the two connections.
  std::size_t read(traffic const& plan, std::string_view bytes, bool from_post) {
    http_exchange& from = from_post ? post : get;
    bool const complete = from.read(bytes);
    failure = from.failure;
    if (!complete) return 0;
    if (from_post) {
      if (post.body() != "ok") failure = "a POST that was not taken";
      return 0;
    }
    std::size_t events = 0;
    for (std::string_view rest = get.body(); !rest.empty() && !failure;) {
      std::string_view const packet = rest.substr(0, rest.find(separator));
      events += take(plan, packet);
      rest.remove_prefix(std::min(rest.size(), packet.size() + 1));
    }
    get.ask(get_request());
    return events;
  }

 private:
  static constexpr char separator = '\x1e';

  /// 1 when the packet is the event that is due.
  std::size_t take(traffic const& plan, std::string_view packet) {
    if (!greeting_.done) {
      if (auto const reply = greeting_.answer(packet); !reply.empty()) queue_packet(reply);
      failure = greeting_.failure;
    } else if (packet == "2") {
      queue_packet("3");
    } else if (packet == plan.event(next_read_)) {
      if (++next_read_ == plan.tags()) next_read_ = 0;
      return 1;
    } else if (packet != "6") {
      failure = packet == "1" || packet == "41" ? "the server ended the session"
                                                : "an event differs from what was sent";
    }
    return 0;
  }

  hawser::http::head_writer request(std::string_view method) const {
    std::string target = at_.target;
    if (!greeting_.session().empty()) target.append("&sid=").append(greeting_.session());
    auto writer = hawser::http::head_writer::request(method, target);
    writer.add("Host", at_.host_field());
    return writer;
  }

  std::string get_request() const { return std::move(*request("GET").finish()); }

  hawser::http::url const& at_;
  socketio::greeting greeting_;
  std::string queue_;
  std::size_t next_sent_ = 0;
  std::size_t next_read_ = 0;
};

}  // namespace load
