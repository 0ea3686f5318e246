// Plain HTTP on the same port: a small table of paths and who answers them.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hawser/codec/http/message.hpp>
#include <hawser/codec/http/serialize.hpp>
#include <hawser/core/callback.hpp>
#include <hawser/endpoint/answer.hpp>

namespace hawser::inline HAWSER_ABI {

/// A request that is complete. Valid until the handler returns.
struct http_request {
  http::request const& head;
  std::string_view body;
  std::string remote_address;
};

/// The right to answer one request, exactly once: at once or later, on any thread. One that is
/// dropped answers 500.
class http_reply {
 public:
  explicit http_reply(pending_answer pending) : pending_(std::move(pending)) {}
  http_reply(http_reply&&) noexcept = default;
  http_reply& operator=(http_reply&& other) noexcept {
    drop();
    pending_ = std::move(other.pending_);
    headers_ = std::move(other.headers_);
    return *this;
  }
  ~http_reply() { drop(); }

  /// Adds a header. Error: `bad_field` for a name or value that may not be sent.
  std::error_code header(std::string_view name, std::string_view value) {
    auto made = http::header::make(name, value);
    if (made) headers_.push_back(std::move(*made));
    return made.error();
  }

  void send(int status, std::string body,
            std::string_view content_type = "text/plain; charset=utf-8") {
    if (!body.empty() && !http::has_header(headers_, "Content-Type")) {
      (void)header("Content-Type", content_type);
    }
    pending_.give({.accepted = true,
                   .status = status,
                   .body = std::move(body),
                   .headers = std::move(headers_)});
  }

 private:
  void drop() {
    if (pending_.open()) send(500, "Internal Server Error");
  }

  pending_answer pending_;
  std::vector<http::header> headers_;
};

using http_handler = callback<void(http_request const&, http_reply)>;

/// Exact paths, and prefixes that end in `/`. GET handlers answer HEAD too.
class route_table {
 public:
  void add(std::string method, std::string path, http_handler handler) {
    routes_.push_back({std::move(method), std::move(path), std::move(handler), false});
  }
  void add_prefix(std::string method, std::string prefix, http_handler handler) {
    routes_.push_back({std::move(method), std::move(prefix), std::move(handler), true});
  }
  bool empty() const noexcept { return routes_.empty(); }

  struct match {
    http_handler* handler = nullptr;
    std::string allow{};  ///< methods of the path, when only the method is wrong
  };

  /// Exact paths first, then the longest prefix.
  match find(std::string_view method, std::string_view path) {
    match found;
    std::size_t best = 0;
    for (auto& entry : routes_) {
      bool const fits = entry.prefix ? path.starts_with(entry.path) : path == entry.path;
      if (!fits) continue;
      bool const answers = entry.method == method || (method == "HEAD" && entry.method == "GET");
      if (!answers) {
        found.allow += (found.allow.empty() ? "" : ", ") + entry.method;
        if (entry.method == "GET") found.allow += ", HEAD";
        continue;
      }
      std::size_t const rank = entry.prefix ? entry.path.size() : std::string::npos;
      if (rank >= best) {
        best = rank;
        found.handler = &entry.handler;
      }
    }
    return found;
  }

 private:
  struct route {
    std::string method;
    std::string path;
    http_handler handler;
    bool prefix;
  };
  std::deque<route> routes_;  // handlers that run may add others, and stay where they are
};

}  // namespace hawser::inline HAWSER_ABI
