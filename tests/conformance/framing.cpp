#include "conformance/cases.hpp"

namespace conformance {
namespace {

std::string const hello = "Hello, world!";
std::string const bytes{"\x00\xff\xfe\xfd\xfc\xfb\x00\xff", 8};

step message(unsigned opcode, filler payload = {}, unsigned rsv = 0) {
  return {.opcode = opcode, .payload = std::move(payload), .rsv = rsv};
}

step first(unsigned opcode, filler payload) {
  return {.opcode = opcode, .payload = std::move(payload), .fin = false};
}

step more(filler payload, bool fin) {
  return {.opcode = continuation, .payload = std::move(payload), .fin = fin};
}

step waiting(step one) {
  one.pause = true;
  return one;
}

}  // namespace

std::vector<conformance_case> framing_cases() {
  std::vector<conformance_case> rows;
  static constexpr std::size_t sizes[] = {0, 125, 126, 127, 128, 65535, 65536, 65536};
  for (unsigned kind = 1; kind <= 2; ++kind) {
    std::string const pattern = kind == 1 ? "*" : "\xfe";
    for (std::size_t i = 0; i < 8; ++i) {
      auto const id = "1." + std::to_string(kind) + "." + std::to_string(i + 1);
      filler const payload{pattern, sizes[i]};
      rows.push_back(good(id, {message(kind, payload)}, {{kind == 1 ? 't' : 'b', payload}},
                          i == 7 ? octets(997) : together));
    }
  }
  return rows;
}

std::vector<conformance_case> ping_cases() {
  filler const most{"\xfe", 125};
  std::vector<step> ten;
  std::vector<expected> answers;
  for (int i = 0; i < 10; ++i) {
    ten.push_back(message(ping, "payload-" + std::to_string(i)));
    answers.push_back({'o', "payload-" + std::to_string(i)});
  }
  return {
      good("2.1", {message(ping)}, {{'o', {}}}),
      good("2.2", {message(ping, hello)}, {{'o', hello}}),
      good("2.3", {message(ping, bytes)}, {{'o', bytes}}),
      good("2.4", {message(ping, most)}, {{'o', most}}),
      bad("2.5", 1002, {message(ping, {"\xfe", 126})}),
      good("2.6", {message(ping, most)}, {{'o', most}}, octets(1)),
      good("2.7", {message(pong), close_frame(1000)}, {}),
      good("2.8", {message(pong, "unasked"), close_frame(1000)}, {}),
      good("2.9", {message(pong, "unasked"), message(ping, "asked")}, {{'o', "asked"}}),
      good("2.10", ten, answers),
      good("2.11", ten, answers, octets(1)),
  };
}

std::vector<conformance_case> reserved_cases() {
  std::vector<expected> const echo{{'t', hello}};
  auto const behind = [](step wrong) {
    return std::vector<step>{message(text, hello), std::move(wrong), message(ping)};
  };
  return {
      bad("3.1", 1002, {message(text, hello, 1)}),
      bad("3.2", 1002, behind(message(text, hello, 2)), echo),
      bad("3.3", 1002, behind(message(text, hello, 3)), echo, by_frame),
      bad("3.4", 1002, behind(message(text, hello, 4)), echo, octets(1)),
      bad("3.5", 1002, {message(binary, bytes, 5)}),
      bad("3.6", 1002, {message(ping, hello, 6)}),
      bad("3.7", 1002, {message(closing, {}, 7)}),
      bad("4.1.1", 1002, {message(3)}),
      bad("4.1.2", 1002, {message(4, "reserved")}),
      bad("4.1.3", 1002, behind(message(5)), echo),
      bad("4.1.4", 1002, behind(message(6, hello)), echo),
      bad("4.1.5", 1002, behind(message(7, hello)), echo, octets(1)),
      bad("4.2.1", 1002, {message(11)}),
      bad("4.2.2", 1002, {message(12, "reserved")}),
      bad("4.2.3", 1002, behind(message(13)), echo),
      bad("4.2.4", 1002, behind(message(14, hello)), echo),
      bad("4.2.5", 1002, behind(message(15, hello)), echo, octets(1)),
  };
}

std::vector<conformance_case> fragment_cases() {
  std::vector<step> const halves{first(text, "one "), more("two", true)};
  std::vector<step> const interrupted{first(text, "one "), message(ping, "now"), more("two", true)};
  std::vector<expected> const whole{{'t', "one two"}};
  std::vector<expected> const answered{{'o', "now"}, {'t', "one two"}};
  std::vector<step> const stray_last{more("nothing to continue", true), message(text, hello)};
  std::vector<step> const stray{more("nothing to continue", false), message(text, hello)};
  auto const twice = [](bool fin) {
    std::vector<step> steps;
    for (int i = 0; i < 2; ++i) {
      steps.push_back(more("stray", fin));
      steps.push_back(first(text, "one "));
      steps.push_back(more("two", true));
    }
    return steps;
  };
  std::vector<step> const five{first(text, "1"), more("2", false), waiting(message(ping, "a")),
                               more("3", false), more("4", false), message(ping, "b"),
                               more("5", true)};
  std::vector<expected> const five_answers{{'o', "a"}, {'o', "b"}, {'t', "12345"}};
  auto row_19 = good("5.19", five, five_answers);
  row_19.at_pause = {1};  // the first ping is answered inside the message
  auto row_20 = good("5.20", five, five_answers, by_frame);
  row_20.at_pause = {1};
  filler const long_text{"*", 65536};
  return {
      bad("5.1", 1002, {first(ping, "one "), more("two", true)}),
      bad("5.2", 1002, {first(pong, "one "), more("two", true)}),
      good("5.3", halves, whole),
      good("5.4", halves, whole, by_frame),
      good("5.5", halves, whole, octets(1)),
      good("5.6", interrupted, answered),
      good("5.7", interrupted, answered, by_frame),
      good("5.8", interrupted, answered, octets(1)),
      bad("5.9", 1002, stray_last),
      bad("5.10", 1002, stray_last, {}, by_frame),
      bad("5.11", 1002, stray_last, {}, octets(1)),
      bad("5.12", 1002, stray),
      bad("5.13", 1002, stray, {}, by_frame),
      bad("5.14", 1002, stray, {}, octets(1)),
      bad("5.15", 1002,
          {first(text, "one "), more("two", true), more("three", false), message(text, "four")},
          whole),
      bad("5.16", 1002, twice(false)),
      bad("5.17", 1002, twice(true)),
      bad("5.18", 1002, {first(text, "one "), message(text, "two")}),
      row_19,
      row_20,
      good("10.1.1", {{.opcode = text, .payload = long_text, .fragment = 1300}},
           {{'t', long_text}}),
  };
}

}  // namespace conformance
