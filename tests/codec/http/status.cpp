// The status that answers an error.
#include <hawser/codec/http/status.hpp>

#include <catch2/catch.hpp>

using hawser::errc;
using hawser::http::http_status;
using hawser::http::reason_phrase;

TEST_CASE("http status: every error of a request has its status", "[codec][http]") {
  struct {
    errc error;
    int status;
  } const rows[] = {
      {errc::bad_request_line, 400}, {errc::bad_field, 400},
      {errc::bad_host, 400},         {errc::bad_content_length, 400},
      {errc::bad_chunk, 400},        {errc::bad_transfer_encoding, 400},
      {errc::bad_target, 400},       {errc::bad_websocket_key, 400},
      {errc::bad_subprotocol, 400},  {errc::bad_extension, 400},
      {errc::refused, 403},          {errc::handshake_timeout, 408},
      {errc::body_too_large, 413},   {errc::uri_too_long, 414},
      {errc::not_an_upgrade, 426},   {errc::bad_websocket_version, 426},
      {errc::head_too_large, 431},   {errc::too_many_fields, 431},
      {errc::field_too_large, 431},  {errc::too_many_connections, 503},
      {errc::not_open, 500},         {errc::unsupported_http_version, 505},
  };
  for (auto const& r : rows) {
    CHECK(http_status(r.error) == r.status);
    CHECK(reason_phrase(r.status) != "Unknown");
  }
  CHECK(http_status(std::make_error_code(std::errc::io_error)) == 500);
  CHECK(reason_phrase(299) == "Unknown");
}
