// What tests of values share: what is written, as text and as hexadecimal digits.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <hawser/codec/value/mapping.hpp>

namespace hawser_test {

/// JSON text of what `write(value_writer&)` writes.
template <class Write>
std::string json_of(Write write) {
  hawser::byte_buffer out;
  hawser::value_writer writer(out, hawser::value_format::json);
  write(writer);
  return std::string(hawser::as_text(out.view()));
}

/// MessagePack bytes of what `write(value_writer&)` writes.
template <class Write>
std::string msgpack_of(Write write) {
  hawser::byte_buffer out;
  hawser::value_writer writer(out, hawser::value_format::msgpack);
  write(writer);
  return std::string(hawser::as_text(out.view()));
}

inline std::string hex(std::string_view bytes) {
  std::string made;
  for (char const c : bytes) {
    auto const byte = static_cast<unsigned char>(c);
    made += "0123456789abcdef"[byte >> 4];
    made += "0123456789abcdef"[byte & 15];
  }
  return made;
}

inline std::string unhex(std::string_view digits) {
  auto const digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string made;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    made += static_cast<char>(digit(digits[i]) * 16 + digit(digits[i + 1]));
  }
  return made;
}

/// JSON text of a mapped C++ value.
template <class T>
std::string as_json(T const& from) {
  return json_of([&](hawser::value_writer& out) { hawser::write_value(out, from); });
}

/// MessagePack, in hexadecimal digits, of a mapped C++ value.
template <class T>
std::string as_msgpack(T const& from) {
  return hex(msgpack_of([&](hawser::value_writer& out) { hawser::write_value(out, from); }));
}

}  // namespace hawser_test
