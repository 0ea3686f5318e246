// Incremental, strict parsers of HTTP/1.1 heads (RFC 9112), one implementation for both kinds.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include <hawser/codec/http/message.hpp>
#include <hawser/codec/http/token.hpp>
#include <hawser/core/error.hpp>

namespace hawser::inline HAWSER_ABI {
namespace http {

/// Limits of a head. Each is the largest that is still accepted, in bytes unless it says count.
struct head_limits {
  std::size_t max_head_size = 16 * 1024;  ///< all of it, the empty line included; at most 1 MiB
  std::size_t max_header_count = 100;     ///< fields
  std::size_t max_field_size = 8 * 1024;  ///< one field line without its CRLF
  std::size_t max_uri_size = 8 * 1024;    ///< request target
};

/// What became of the bytes given to a parser. The bytes behind the first `consumed` belong to
/// whatever comes next, unless there is an error: then the connection is good for nothing more.
struct progress {
  std::size_t consumed = 0;
  bool done = false;
  std::error_code error{};
};

/// Parses one head in whatever pieces it arrives; every byte is looked at once. What is refused is
/// refused at the first byte that shows it, and the error stays until `reset()`. Holds at most
/// `max_head_size` bytes, and none after an error.
///
/// Stricter than RFC 9112 asks: CRLF only, no empty line before the request, no folded lines, no
/// space around a name, `Transfer-Encoding` exactly `chunked` or nothing, no comments on a doubled
/// Content-Length that happens to agree, the origin form of a target, or an absolute form that
/// names the Host.
///
/// Errors: `bad_request_line` or `bad_status_line`, `bad_target`, `unsupported_http_version`,
/// `bad_field`, `bad_host`, `bad_content_length`, `bad_transfer_encoding`, `head_too_large`,
/// `too_many_fields`, `field_too_large`, `uri_too_long`.
template <class Head>
class head_parser {
 public:
  using progress = http::progress;

  explicit head_parser(head_limits limits = {}) noexcept : limits_(limits) {
    // Positions are 32 bits wide, and no honest head comes near this.
    limits_.max_head_size = std::min(limits_.max_head_size, std::size_t{1} << 20);
  }

  /// Takes bytes up to the end of the head, and nothing when it is done or has failed.
  progress parse(std::string_view bytes) {
    if (state_ == state::done || state_ == state::failed) return {0, is_done(), error_};
    std::size_t const before = at_;
    bytes = bytes.substr(0, limits_.max_head_size - before);
    // What follows the head in the same read need not be copied. When this misses an end that is
    // spread over two reads, the surplus is dropped below.
    if (bytes.size() == 1) {
      head_.bytes_.push_back(bytes.front());
    } else {
      std::size_t const end = bytes.find("\r\n\r\n");
      if (end != std::string_view::npos) bytes = bytes.substr(0, end + 4);
      head_.bytes_.append(bytes);
    }
    while (at_ < head_.bytes_.size() && state_ != state::done && state_ != state::failed) step();
    if (is_done()) {
      head_.bytes_.resize(at_);
      if (std::error_code const broken = head_.finish()) fail(broken);
    } else if (state_ != state::failed && at_ == limits_.max_head_size) {
      fail(errc::head_too_large);
    }
    return {at_ - before, is_done(), error_};
  }

  /// The parsed head; makes the parser ready for the next one. Empty unless `parse` said done.
  Head take() {
    Head taken;
    if (is_done()) taken = std::move(head_);
    reset();
    return taken;
  }

  void reset() {
    head_ = Head{};
    state_ = first;
    error_ = {};
    at_ = mark_ = 0;
  }

  /// Whether nothing of a head has arrived yet.
  bool idle() const noexcept { return at_ == 0 && state_ == first; }

 private:
  enum class state : unsigned char {
    method,
    target,
    version,
    status,
    reason,
    line_end,
    field_start,
    name,
    value,
    field_end,
    head_end,
    done,
    failed
  };

  static constexpr bool is_request = std::is_same_v<Head, request>;
  static constexpr state first = is_request ? state::method : state::version;
  static constexpr errc bad_line = is_request ? errc::bad_request_line : errc::bad_status_line;

  bool is_done() const noexcept { return state_ == state::done; }
  char here() const noexcept { return head_.bytes_[at_]; }

  stretch since_mark() const noexcept {
    return {static_cast<std::uint32_t>(mark_), static_cast<std::uint32_t>(at_ - mark_)};
  }

  void fail(std::error_code error) {
    state_ = state::failed;
    error_ = error;
    head_ = Head{};
  }

  void go(state next) noexcept {
    state_ = next;
    mark_ = ++at_;
  }

  void expect(char wanted, state next, errc otherwise) {
    if (here() != wanted) return fail(otherwise);
    go(next);
  }

  /// Moves over characters of a class, no further than `limit` bytes behind `from`. True when it
  /// stands on a character of another class.
  bool skip(char_class wanted, std::size_t from, std::size_t limit, errc too_long) {
    std::string_view const rest = std::string_view(head_.bytes_).substr(at_);
    std::size_t const room = limit - std::min(limit, at_ - from);
    at_ += run_of(wanted, rest.substr(0, room));
    if (at_ == head_.bytes_.size()) return false;
    if (!is(wanted, here())) return true;
    fail(too_long);
    return false;
  }

  void step() {
    switch (state_) {
      case state::method: return read_method();
      case state::target: return read_target();
      case state::version: return read_version();
      case state::status: return read_status();
      case state::reason: return read_reason();
      case state::line_end: return expect('\n', state::field_start, bad_line);
      case state::field_start: return start_field();
      case state::name: return read_name();
      case state::value: return read_value();
      case state::field_end: return expect('\n', state::field_start, errc::bad_field);
      case state::head_end: return expect('\n', state::done, errc::bad_field);
      case state::done:
      case state::failed: return;
    }
  }

  void read_method() {
    if constexpr (is_request) {
      if (!skip(method_char, 0, 16, bad_line)) return;
      if (here() != ' ' || at_ == 0) return fail(bad_line);
      // The preface of HTTP/2 (RFC 9113 3.4) is made to look like a request.
      head_.method_ = since_mark();
      if (head_.method() == "PRI") return fail(errc::unsupported_http_version);
      go(state::target);
    }
  }

  void read_target() {
    if constexpr (is_request) {
      if (at_ == mark_ && here() != '/' && lower(here()) != 'h') return fail(errc::bad_target);
      if (!skip(target_char, mark_, limits_.max_uri_size, errc::uri_too_long)) return;
      if (here() == '\r') return fail(bad_line);
      if (here() != ' ') return fail(errc::bad_target);
      head_.target_ = since_mark();
      go(state::version);
    }
  }

  void read_version() {
    constexpr std::string_view prefix = "HTTP/1.";
    std::size_t const index = at_ - mark_;
    if (index < prefix.size()) {
      if (here() == prefix[index]) return void(++at_);
      return fail(index < 5 ? bad_line : errc::unsupported_http_version);
    }
    if (index == prefix.size()) {
      if (here() != '0' && here() != '1') return fail(errc::unsupported_http_version);
      head_.version_minor_ = here() - '0';
      return void(++at_);
    }
    expect(is_request ? '\r' : ' ', is_request ? state::line_end : state::status, bad_line);
  }

  void read_status() {
    if constexpr (!is_request) {
      if (at_ - mark_ == 3) {
        return head_.status_ < 100 ? fail(bad_line) : expect(' ', state::reason, bad_line);
      }
      if (!is_digit(here())) return fail(bad_line);
      head_.status_ = head_.status_ * 10 + (here() - '0');
      ++at_;
    }
  }

  void read_reason() {
    if constexpr (!is_request) {
      if (!skip(value_char, mark_, limits_.max_head_size, errc::head_too_large)) return;
      head_.reason_ = since_mark();
      expect('\r', state::line_end, bad_line);
    }
  }

  void start_field() {
    if (here() == '\r') return go(state::head_end);
    if (!is(token_char, here())) return fail(errc::bad_field);
    if (head_.fields_.size() >= limits_.max_header_count) return fail(errc::too_many_fields);
    line_ = at_;
    state_ = state::name;
  }

  void read_name() {
    if (!skip(token_char, line_, limits_.max_field_size, errc::field_too_large)) return;
    if (here() != ':') return fail(errc::bad_field);
    if (at_ - line_ >= limits_.max_field_size) return fail(errc::field_too_large);
    head_.fields_.push_back({static_cast<std::uint32_t>(mark_), static_cast<std::uint32_t>(at_)});
    go(state::value);
  }

  void read_value() {
    if (!skip(value_char, line_, limits_.max_field_size, errc::field_too_large)) return;
    if (here() != '\r') return fail(errc::bad_field);
    std::string_view const raw = std::string_view(head_.bytes_).substr(mark_, at_ - mark_);
    std::string_view const value = trim(raw);
    std::string_view const name = head_.fields_.back().name_in(head_.bytes_);
    // Odd white space around this one value is how requests are smuggled past lax parsers.
    if (raw.size() > value.size() + 1 && iequals(name, "Transfer-Encoding")) {
      return fail(errc::bad_transfer_encoding);
    }
    go(state::field_end);
  }

  head_limits limits_;
  Head head_;
  std::error_code error_;
  std::size_t at_ = 0;    // how far the head has been read
  std::size_t mark_ = 0;  // where the present element begins
  std::size_t line_ = 0;  // where the present field begins
  state state_ = first;
};

using request_parser = head_parser<request>;
using response_parser = head_parser<response>;

}  // namespace http
}  // namespace hawser::inline HAWSER_ABI
