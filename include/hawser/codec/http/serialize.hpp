// Writes HTTP/1.1 heads. What could break a head apart is refused before there is one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <hawser/codec/http/message.hpp>
#include <hawser/codec/http/status.hpp>
#include <hawser/codec/http/token.hpp>
#include <hawser/codec/http/url.hpp>
#include <hawser/core/error.hpp>

namespace hawser::inline HAWSER_ABI {
namespace http {

/// A field that is safe to send: only `make` builds one, so that no text of an application or of a
/// peer can add a line to a head.
class header {
 public:
  /// `name` must be a token, `value` without control bytes; spaces around the value are dropped.
  /// The fields that frame a message or make the handshake belong to the library. Errors:
  /// `errc::bad_field`; `errc::bad_argument` for Connection, Content-Length, Transfer-Encoding,
  /// Trailer, Upgrade and Sec-WebSocket-*.
  static result<header> make(std::string_view name, std::string_view value) {
    value = trim(value);
    if (!is_token(name) || !is_field_value(value)) return errc::bad_field;
    if (is_reserved(name)) return errc::bad_argument;
    return header(name, value);
  }

  std::string_view name() const noexcept { return name_; }
  std::string_view value() const noexcept { return value_; }

 private:
  header(std::string_view name, std::string_view value) : name_(name), value_(value) {}

  static bool is_reserved(std::string_view name) noexcept {
    for (std::string_view const reserved :
         {"Connection", "Content-Length", "Transfer-Encoding", "Trailer", "Upgrade"}) {
      if (iequals(name, reserved)) return true;
    }
    return istarts_with(name, "Sec-WebSocket-");
  }

  std::string name_;
  std::string value_;
};

/// Whether one of the headers has that name.
inline bool has_header(std::span<header const> headers, std::string_view name) noexcept {
  for (header const& h : headers) {
    if (iequals(h.name(), name)) return true;
  }
  return false;
}

/// Puts a head together line by line. A line that may not be sent makes the whole head an error,
/// so that a chain of calls needs one check at its end.
class head_writer {
 public:
  /// `status` is 100 to 999.
  static head_writer response(int status) {
    head_writer writer;
    if (status < 100 || status > 999) writer.error_ = errc::bad_argument;
    writer.text_ = "HTTP/1.1 " + std::to_string(status) + " ";
    writer.text_.append(reason_phrase(status)).append("\r\n");
    return writer;
  }

  /// `target` in origin form.
  static head_writer request(std::string_view method, std::string_view target) {
    head_writer writer;
    if (!http::request::valid_method(method)) writer.error_ = errc::bad_argument;
    if (!target.starts_with('/') || !all_of(target_char, target)) {
      writer.error_ = errc::bad_target;
    }
    writer.text_.append(method).append(" ").append(target).append(" HTTP/1.1\r\n");
    return writer;
  }

  /// Any field, those that `header` reserves too.
  head_writer& add(std::string_view name, std::string_view value) {
    if (!is_token(name) || !is_field_value(value)) error_ = errc::bad_field;
    text_.append(name).append(": ").append(value).append("\r\n");
    return *this;
  }

  head_writer& add(std::span<header const> headers) {
    for (header const& h : headers) add(h.name(), h.value());
    return *this;
  }

  /// The head with its empty line, or `bad_argument`, `bad_target` or `bad_field`.
  result<std::string> finish() && {
    if (error_) return error_;
    text_ += "\r\n";
    return std::move(text_);
  }

 private:
  head_writer() = default;

  std::string text_;
  std::error_code error_;
};

/// The head of a response whose body is sent apart, or not at all (HEAD). 1xx, 204 and 304 get no
/// Content-Length. Errors: those of `head_writer`.
inline result<std::string> write_response_head(int status, std::span<header const> headers,
                                               std::uint64_t content_length, bool keep_alive) {
  head_writer writer = head_writer::response(status);
  writer.add(headers);
  if (status >= 200 && status != 204 && status != 304) {
    writer.add("Content-Length", std::to_string(content_length));
  }
  writer.add("Connection", keep_alive ? "keep-alive" : "close");
  return std::move(writer).finish();
}

/// A whole response. Errors: those of `head_writer`.
inline result<std::string> write_response(int status, std::span<header const> headers,
                                          std::string_view body, bool keep_alive) {
  auto written = write_response_head(status, headers, body.size(), keep_alive);
  if (written) written->append(body);
  return written;
}

/// A whole request. Host comes from the URL unless `headers` has one; Content-Length is there when
/// there is a body, which may be empty. Errors: those of `head_writer`.
inline result<std::string> write_request(std::string_view method, url const& to,
                                         std::span<header const> headers,
                                         std::optional<std::string_view> body = std::nullopt,
                                         bool keep_alive = true) {
  head_writer writer = head_writer::request(method, to.target);
  if (!has_header(headers, "Host")) writer.add("Host", to.host_field());
  writer.add(headers);
  if (body) writer.add("Content-Length", std::to_string(body->size()));
  writer.add("Connection", keep_alive ? "keep-alive" : "close");
  auto written = std::move(writer).finish();
  if (written && body) written->append(*body);
  return written;
}

}  // namespace http
}  // namespace hawser::inline HAWSER_ABI
