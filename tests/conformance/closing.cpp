#include "conformance/cases.hpp"

namespace conformance {

// Close frames, RFC 6455 sections 5.5.1 and 7. What follows one is ignored (1.4).
std::vector<conformance_case> closing_cases() {
  step const message{.opcode = text, .payload = "Hello World!"};
  step const normal = close_frame(1000);
  filler const long_text{"BAsd7&jh23", 256 * 1024};
  auto no_body = good("7.3.1", {{.opcode = closing}}, {});
  no_body.close = 0;
  std::vector<conformance_case> rows{
      good("7.1.1", {message, normal}, {{'t', "Hello World!"}}),
      good("7.1.2", {normal, {.opcode = closing}}, {}),
      good("7.1.3", {normal, {.opcode = ping}}, {}),
      good("7.1.4", {normal, message}, {}),
      good("7.1.5",
           {{.opcode = text, .payload = "one", .fin = false},
            normal,
            {.opcode = continuation, .payload = "two"}},
           {}),
      good("7.1.6", {{.opcode = text, .payload = long_text}, message, normal, {.opcode = ping}},
           {{'t', long_text}, {'t', "Hello World!"}}),
      no_body,
      bad("7.3.2", 1002, {{.opcode = closing, .payload = "a"}}),
      good("7.3.3", {normal}, {}),
      good("7.3.4", {close_frame(1000, "Hello World!")}, {}),
      good("7.3.5", {close_frame(1000, std::string(123, '*'))}, {}),
      bad("7.3.6", 1002, {close_frame(1000, std::string(124, '*'))}),
      bad("7.5.1", 1007,
          {close_frame(1000,
                       "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80"
                       "edited")}),
  };
  int i = 0;
  for (unsigned const code : {1000u, 1001u, 1002u, 1003u, 1007u, 1008u, 1009u, 1010u, 1011u, 3000u,
                              3999u, 4000u, 4999u}) {
    auto row = good("7.7." + std::to_string(++i), {close_frame(code)}, {});
    row.close = code;
    rows.push_back(row);
  }
  i = 0;
  for (unsigned const code : {0u, 999u, 1004u, 1005u, 1006u, 1016u, 1100u, 2000u, 2999u}) {
    rows.push_back(bad("7.9." + std::to_string(++i), 1002, {close_frame(code)}));
  }
  // Codes from 5000 on are nobody's: hawser is strict about them too.
  rows.push_back(bad("7.13.1", 1002, {close_frame(5000)}));
  rows.push_back(bad("7.13.2", 1002, {close_frame(65535)}));
  return rows;
}

}  // namespace conformance
