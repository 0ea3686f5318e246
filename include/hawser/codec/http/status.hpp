// Status codes: which one answers an error, and what it is called.
#pragma once

#include <string_view>
#include <system_error>

#include <hawser/core/error.hpp>

namespace hawser::inline HAWSER_ABI {
namespace http {

/// The status that tells a client about an error of its request; 500 for what is none of its doing.
inline int http_status(std::error_code error) noexcept {
  if (error.category() != error_category()) return 500;
  switch (static_cast<errc>(error.value())) {
    case errc::bad_request_line:
    case errc::bad_field:
    case errc::bad_host:
    case errc::bad_content_length:
    case errc::bad_transfer_encoding:
    case errc::bad_chunk:
    case errc::bad_target:
    case errc::bad_websocket_key:
    case errc::bad_subprotocol:
    case errc::bad_extension:
    case errc::too_many_early_bytes: return 400;
    case errc::refused: return 403;
    case errc::handshake_timeout: return 408;
    case errc::body_too_large: return 413;
    case errc::uri_too_long: return 414;
    case errc::not_an_upgrade:
    case errc::bad_websocket_version: return 426;
    case errc::head_too_large:
    case errc::too_many_fields:
    case errc::field_too_large: return 431;
    case errc::too_many_connections: return 503;
    case errc::unsupported_http_version: return 505;
    default: return 500;
  }
}

/// The usual text of a status; "Unknown" for one that has none here.
constexpr std::string_view reason_phrase(int status) noexcept {
  switch (status) {
    case 100: return "Continue";
    case 101: return "Switching Protocols";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Content";
    case 426: return "Upgrade Required";
    case 428: return "Precondition Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "Unknown";
  }
}

}  // namespace http
}  // namespace hawser::inline HAWSER_ABI
