// Where hawser reads something else than the reference implementations, on purpose.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include <hawser/core/error.hpp>

namespace hawser_test {

struct difference {
  std::string_view vector;     ///< its name in tests/fixtures
  std::string_view reference;  ///< what the reference does
  hawser::errc ours;           ///< what we say; nothing: we read it too, but as something else
  std::string_view why;
};

inline constexpr std::string_view what_it_can = "reads what it can and ignores the rest";
inline constexpr std::string_view one_text = "one text for each value: RFC 4648 section 3.5";
inline constexpr std::string_view a_number = "whatever JavaScript converts to a number counts";
inline constexpr std::string_view digits_only = "digits and nothing else are a number";
inline constexpr std::string_view id_zero = "white space is the id 0";
inline constexpr std::string_view no_id = "white space is no number, and JSON may begin with it";
inline constexpr std::string_view no_payload = "accepts a packet without its payload";
inline constexpr std::string_view nameless = "handlers never see an event without a name";
inline constexpr std::string_view dropped = "drops the attachment";
inline constexpr std::string_view looks_late = "waits for the attachments, then looks what for";
inline constexpr std::string_view looks_first = "nothing is kept for a packet that will be none";
inline constexpr std::string_view used_once =
    "attachments are announced to be used; one used often would be copied often";

inline constexpr difference differences[] = {
    // -- Engine.IO: base64 --
    {"eio-decode.b4", what_it_can, hawser::errc::bad_base64, one_text},
    {"eio-decode.b64-invalid", what_it_can, hawser::errc::bad_base64, one_text},
    {"eio-decode.b64-nopad", what_it_can, hawser::errc::bad_base64, one_text},
    {"eio-decode.b64-url", what_it_can, hawser::errc::bad_base64, one_text},

    // -- Socket.IO: types, counts and ids --
    {"sio-decode.type-empty", "no text is CONNECT", hawser::errc::bad_packet, digits_only},
    {"sio-decode.type-space", "a space is CONNECT", hawser::errc::bad_packet, digits_only},
    {"sio-decode.type-newline", "a line feed is CONNECT", hawser::errc::bad_packet, digits_only},
    {"sio-decode.binary-event-exp", a_number, hawser::errc::bad_packet, digits_only},
    {"sio-decode.binary-event-hexcount", a_number, hawser::errc::bad_packet, digits_only},
    {"sio-decode.binary-event-leading-space-count", a_number, hawser::errc::bad_packet,
     digits_only},
    {"sio-decode.binary-event-plus", a_number, hawser::errc::bad_packet, digits_only},
    {"sio-decode.binary-event-zero",
     "4.2.7 refuses it, older versions don't",
     {},
     "complete at once; peers with older parsers may send it"},
    {"sio-decode.connect-with-id", "reads the id and ignores it", hawser::errc::bad_packet,
     "nobody acknowledges CONNECT"},
    {"sio-decode.event-huge-id", "rounds the id", hawser::errc::bad_packet,
     "an id over 2^53-1 doesn't go back as it came"},
    {"sio-decode.event-leading-space", id_zero, {}, no_id},
    {"sio-decode.event-two-spaces", id_zero, {}, no_id},
    {"sio-decode.event-newline-id", id_zero, {}, no_id},
    {"sio-decode.event-tab", id_zero, {}, no_id},

    // -- Socket.IO: payloads --
    {"sio-decode.ack-nopayload", no_payload, hawser::errc::bad_packet,
     "an acknowledgement has a list of arguments"},
    {"sio-decode.connect-error-empty", no_payload, hawser::errc::bad_packet,
     "an error has a message"},
    {"sio-decode.binary-event-nopayload", no_payload, hawser::errc::bad_packet, nameless},
    {"sio-decode.event-nopayload", no_payload, hawser::errc::bad_packet, nameless},
    {"sio-decode.event-id-nopayload", no_payload, hawser::errc::bad_packet, nameless},
    {"sio-decode.event-nsp-nopayload", no_payload, hawser::errc::bad_packet, nameless},
    {"sio-decode.event-nsp-nocomma", no_payload, hawser::errc::bad_packet, nameless},
    {"sio-decode.event-error-name", "its parser lets it pass", hawser::errc::bad_event_name,
     "what a client sends never looks like an error of ours"},
    {"sio-decode.event-bignum", "1e400 is Infinity", hawser::errc::bad_json,
     "Infinity can't be written as JSON again"},
    {"sio-decode.event-deep", "accepts any depth", hawser::errc::too_deep, "max_depth"},
    {"sio-decode.event-lone-surrogate", "keeps it", hawser::errc::bad_json,
     "it can't be written as UTF-8"},

    // -- Socket.IO: attachments --
    {"sio-decode.binary-event-noplaceholder", dropped, hawser::errc::bad_attachments, used_once},
    {"sio-decode.binary-event-placeholder-false", dropped, hawser::errc::bad_attachments,
     used_once},
    {"sio-decode.binary-event-unused", dropped, hawser::errc::bad_attachments, used_once},
    {"sio-decode.binary-event-same-num", "gives it twice", hawser::errc::bad_attachments,
     used_once},
    {"sio-decode.binary-event-num-float", "gives undefined", hawser::errc::bad_attachments,
     "attachments are counted in integers"},

    // -- Socket.IO: encoding --
    {"sio-encode.event-numbers",
     "writes 1e-7 and 123456789012345680000",
     {},
     "1e-07 and 123456789012345683968 are the same numbers"},
    {"sio-encode.event-unicode", "escapes a lone surrogate", {}, "texts are UTF-8, which has none"},

    // -- Socket.IO: the whole parser, beside the above --
    {"parser.sio-decode.binary-event-max10", looks_late, hawser::errc::bad_attachments,
     looks_first},
    {"parser.sio-decode.binary-event-max-opt", looks_late, hawser::errc::bad_attachments,
     looks_first},
};

/// For a golden test: `note` what came of each vector, and `finish` when there are no more.
class difference_check {
 public:
  /// Vectors whose name begins like this are the test's.
  explicit difference_check(std::string_view prefix) {
    for (auto const& row : differences) {
      if (row.vector.starts_with(prefix)) open_.push_back(&row);
    }
  }

  /// Whether the table has a row of this name that was not noted.
  bool has(std::string_view vector) const {
    return std::any_of(open_.begin(), open_.end(),
                       [&](auto const* open) { return open->vector == vector; });
  }

  /// Fails unless `same`, or the table says that it is not, and that we say `error` instead.
  void note(std::string_view vector, bool same, hawser::errc error) {
    CAPTURE(vector, static_cast<int>(error));
    auto const row = std::find_if(open_.begin(), open_.end(),
                                  [&](auto const* open) { return open->vector == vector; });
    if (row == open_.end()) {
      CHECK(same);
    } else {
      CHECK_FALSE(same);
      CHECK((*row)->ours == error);
      open_.erase(row);
    }
  }

  /// Fails for rows whose vector never came.
  void finish() const {
    for (auto const* row : open_) {
      std::string_view const not_in_the_file = row->vector;
      CAPTURE(not_in_the_file);
      CHECK(false);
    }
  }

 private:
  std::vector<difference const*> open_;
};

}  // namespace hawser_test
