// Golden vectors: what the reference implementations read and wrote, one JSON object a line.
#pragma once

#include <cstddef>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include <hawser/core/bytes.hpp>

namespace hawser_test {

/// The bytes that a text of hexadecimal digits names.
inline std::string from_hex(std::string_view hex) {
  auto const digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  }
  return bytes;
}

/// A line as simdjson can read it. It refuses two things that the reference lets pass: escaped lone
/// surrogates become U+FFFD here, and integers of 20 and more digits become doubles.
inline std::string readable(std::string_view line) {
  auto const digit = [](char c) { return c >= '0' && c <= '9'; };
  auto const surrogate = [&](std::size_t at, char low, char high) {
    if (at + 6 > line.size() || line[at] != '\\' || line[at + 1] != 'u') return false;
    char const third = static_cast<char>(line[at + 3] | 0x20);
    return (line[at + 2] | 0x20) == 'd' && third >= low && third <= high;
  };
  std::string text;
  bool inside = false;  // a string
  for (std::size_t at = 0; at < line.size();) {
    std::size_t size = 1;
    if (inside && line[at] == '\\') {
      size = line[at + 1] == 'u' ? 6 : 2;
      bool const high = surrogate(at, '8', '9') || surrogate(at, 'a', 'b');
      bool const low = surrogate(at, 'c', 'f');
      bool const pair = high && surrogate(at + 6, 'c', 'f');
      if (pair) size = 12;
      text += (high || low) && !pair ? std::string_view("\\ufffd") : line.substr(at, size);
    } else if (!inside && digit(line[at])) {
      while (at + size < line.size() && digit(line[at + size])) ++size;
      text += line.substr(at, size);
      char const next = at + size < line.size() ? line[at + size] : ',';
      if (size >= 20 && next != '.' && next != 'e' && next != 'E') text += "e0";
    } else {
      if (line[at] == '"') inside = !inside;
      text += line[at];
    }
    at += size;
  }
  return text;
}

/// Calls `each(std::string name, simdjson::dom::element line)` for every line of a file in
/// tests/fixtures and returns how many there were. The element is good until the call returns.
template <class Each>
std::size_t for_each_fixture(std::string const& file, Each&& each) {
  std::ifstream in(std::string(HAWSER_FIXTURES "/") + file, std::ios::binary);
  if (!in) throw std::runtime_error("no such fixtures: " + file);
  std::size_t count = 0;
  simdjson::dom::parser parser;
  for (std::string line; std::getline(in, line); ++count) {
    simdjson::dom::element const element = parser.parse(readable(line));
    each(std::string(std::string_view(element["name"])), element);
  }
  return count;
}

/// One message of the wire.
struct fixture_frame {
  bool binary = false;
  std::string bytes;
};

/// The frames of a line of the parsers' vectors.
inline std::vector<fixture_frame> frames_of(simdjson::dom::element line) {
  std::vector<fixture_frame> frames;
  for (simdjson::dom::element const frame : line["frames"].get_array()) {
    bool const binary = std::string_view(frame["kind"]) == "binary";
    frames.push_back({binary, from_hex(std::string_view(frame["hex"]))});
  }
  return frames;
}

/// The bytes behind `{"$bin":hex}`; false for anything else.
inline bool binary_of(simdjson::dom::element what, std::string& bytes) {
  std::string_view hex;
  if (what["$bin"].get(hex) != simdjson::SUCCESS) return false;
  bytes = from_hex(hex);
  return true;
}

}  // namespace hawser_test
