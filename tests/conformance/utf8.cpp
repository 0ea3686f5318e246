#include "conformance/cases.hpp"

namespace conformance {
namespace {

// The Greek word that Markus Kuhn's decoder test begins with: 2 and 3 byte sequences.
std::string const kosme = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5";
std::string const mixed = "Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4\xc3\xbc\xc3\xa0\xc3\xa1-UTF-8!!";

step whole(std::string payload) { return {.opcode = text, .payload = std::move(payload)}; }

step part(unsigned opcode, std::string payload, bool fin) {
  return {.opcode = opcode, .payload = std::move(payload), .fin = fin};
}

step waiting(step one) {
  one.pause = true;
  return one;
}

step by_octets(std::string payload) {
  return {.opcode = text, .payload = std::move(payload), .fragment = 1};
}

// The connection fails as soon as the octet that makes the text invalid is there.
conformance_case fail_fast(std::string id, std::vector<step> steps) {
  auto row = bad(std::move(id), 1007, std::move(steps));
  row.at_pause = {0, 1};
  return row;
}

void add_fixed(std::vector<conformance_case>& rows) {
  std::string const tail = "edited";
  std::string const surrogate = kosme + "\xed\xa0\x80" + tail;
  std::string const beyond = "\xf4\x90\x80\x80";  // U+110000
  std::string const all = kosme + beyond + tail;
  auto const at = static_cast<std::ptrdiff_t>(kosme.size() + 1);  // behind F4
  std::string const before(all.begin(), all.begin() + at);
  std::string const after(all.begin() + at + 1, all.end());

  rows.push_back(good("6.1.1", {whole("")}, {{'t', {}}}));
  rows.push_back(good(
      "6.1.2", {part(text, "", false), part(continuation, "", false), part(continuation, "", true)},
      {{'t', {}}}));
  rows.push_back(good("6.1.3",
                      {part(text, "", false), part(continuation, "in the middle", false),
                       part(continuation, "", true)},
                      {{'t', "in the middle"}}));
  rows.push_back(good("6.2.1", {whole(mixed)}, {{'t', mixed}}));
  rows.push_back(good(
      "6.2.2", {part(text, mixed.substr(0, 15), false), part(continuation, mixed.substr(15), true)},
      {{'t', mixed}}));
  rows.push_back(good("6.2.3", {by_octets(mixed)}, {{'t', mixed}}));
  rows.push_back(good("6.2.4", {by_octets(kosme)}, {{'t', kosme}}));
  rows.push_back(bad("6.3.1", 1007, {whole(surrogate)}));
  rows.push_back(bad("6.3.2", 1007, {by_octets(surrogate)}));
  rows.push_back(fail_fast(
      "6.4.1", {waiting(part(text, kosme, false)), waiting(part(continuation, beyond, false)),
                part(continuation, tail, true)}));
  rows.push_back(fail_fast(
      "6.4.2", {waiting(part(text, before, false)), waiting(part(continuation, "\x90", false)),
                part(continuation, after, true)}));
  auto in_chops = whole(all);
  in_chops.cuts = {kosme.size(), kosme.size() + beyond.size()};
  rows.push_back(fail_fast("6.4.3", {in_chops}));
  in_chops.cuts = {before.size(), before.size() + 1};
  rows.push_back(fail_fast("6.4.4", {in_chops}));
}

// One group of 6.5 to 6.23: texts in one frame each.
class group {
 public:
  group(std::vector<conformance_case>& rows, int number) : rows_(rows), number_(number) {}

  group& valid(std::string payload) {
    rows_.push_back(good(next(), {whole(payload)}, {{'t', payload}}));
    return *this;
  }
  group& invalid(std::string payload) {
    rows_.push_back(bad(next(), 1007, {whole(std::move(payload))}));
    return *this;
  }

 private:
  std::string next() { return "6." + std::to_string(number_) + "." + std::to_string(++count_); }

  std::vector<conformance_case>& rows_;
  int number_;
  int count_ = 0;
};

// `length` bytes: a lead and continuation bytes.
std::string sequence(unsigned lead, std::vector<unsigned> rest) {
  std::string bytes(1, static_cast<char>(lead));
  for (unsigned const one : rest) bytes += static_cast<char>(one);
  return bytes;
}

void add_sequences(std::vector<conformance_case>& rows) {
  group(rows, 5)  // sequences of 1 to 4 bytes, and the word
      .valid("hello$world")
      .valid("hello\xc2\xa2world")
      .valid("hello\xe2\x82\xacworld")
      .valid("hello\xf0\xa4\xad\xa2world")
      .valid(kosme);

  group prefixes(rows, 6);  // complete only behind 2, 5, 7, 9 and 11 bytes
  for (std::size_t size = 1; size <= kosme.size(); ++size) {
    bool const complete = size == 2 || size == 5 || size == 7 || size == 9 || size == 11;
    complete ? prefixes.valid(kosme.substr(0, size)) : prefixes.invalid(kosme.substr(0, size));
  }

  group(rows, 7)  // the first of each length
      .valid(std::string(1, '\0'))
      .valid("\xc2\x80")
      .valid("\xe0\xa0\x80")
      .valid("\xf0\x90\x80\x80");
  group(rows, 8).invalid("\xf8\x88\x80\x80\x80").invalid("\xfc\x84\x80\x80\x80\x80");
  group(rows, 9)  // the last of each length
      .valid("\x7f")
      .valid("\xdf\xbf")
      .valid("\xef\xbf\xbf")
      .valid("\xf4\x8f\xbf\xbf");
  group(rows, 10)
      .invalid("\xf7\xbf\xbf\xbf")
      .invalid("\xfb\xbf\xbf\xbf\xbf")
      .invalid("\xfd\xbf\xbf\xbf\xbf\xbf");
  group(rows, 11)  // around the surrogates, and the end of Unicode
      .valid("\xed\x9f\xbf")
      .valid("\xee\x80\x80")
      .valid("\xef\xbf\xbd")
      .valid("\xf4\x8f\xbf\xbf")
      .invalid("\xf4\x90\x80\x80");

  group lonely(rows, 12);  // continuation bytes without a lead
  lonely.invalid("\x80").invalid("\xbf");
  std::string pair = "\x80\xbf";
  lonely.invalid(pair);
  for (int i = 0; i < 4; ++i) lonely.invalid(pair += i % 2 == 0 ? "\x80" : "\xbf");
  std::string every;
  for (unsigned c = 0x80; c < 0xbf; ++c) every += static_cast<char>(c);
  lonely.invalid(every);

  group leads(rows, 13);  // leads without continuation
  static constexpr unsigned ranges[][2] = {
      {0xc0, 0xdf}, {0xe0, 0xef}, {0xf0, 0xf7}, {0xf8, 0xfb}, {0xfc, 0xfd}};
  for (auto const& [low, high] : ranges) {
    std::string spaced;
    for (unsigned c = low; c < high; ++c) spaced.append(1, static_cast<char>(c)).append(" ");
    leads.invalid(spaced);
  }

  group short_by_one(rows, 14);
  static constexpr unsigned least[] = {0xc0, 0xe0, 0xf0, 0xf8, 0xfc};
  static constexpr unsigned most[] = {0xdf, 0xef, 0xf7, 0xfb, 0xfd};
  std::string incomplete;
  for (auto const* const leading : {least, most}) {
    unsigned const filling = leading == least ? 0x80 : 0xbf;
    for (std::size_t i = 0; i < 5; ++i) {
      auto const cut = sequence(leading[i], std::vector<unsigned>(i, filling));
      short_by_one.invalid(cut);
      incomplete += cut;
    }
  }
  group(rows, 15).invalid(incomplete);
  group(rows, 16).invalid("\xfe").invalid("\xff").invalid("\xfe\xfe\xff\xff");

  static constexpr unsigned firsts[] = {0xc0, 0xe0, 0xf0, 0xf8, 0xfc};
  group slash(rows, 17);  // '/' in too many bytes
  for (std::size_t i = 0; i < 5; ++i) {
    std::vector<unsigned> rest(i + 1, 0x80);
    rest.back() = 0xaf;
    slash.invalid(sequence(firsts[i], rest));
  }
  group(rows, 18)  // the largest that fit in fewer bytes
      .invalid("\xc1\xbf")
      .invalid("\xe0\x9f\xbf")
      .invalid("\xf0\x8f\xbf\xbf")
      .invalid("\xf8\x87\xbf\xbf\xbf")
      .invalid("\xfc\x83\xbf\xbf\xbf\xbf");
  group nul(rows, 19);
  for (std::size_t i = 0; i < 5; ++i) {
    nul.invalid(sequence(firsts[i], std::vector<unsigned>(i + 1, 0x80)));
  }

  group single(rows, 20);  // surrogates
  for (char const* const one : {"\xed\xa0\x80", "\xed\xad\xbf", "\xed\xae\x80", "\xed\xaf\xbf",
                                "\xed\xb0\x80", "\xed\xbe\x80", "\xed\xbf\xbf"}) {
    single.invalid(one);
  }
  group paired(rows, 21);
  for (char const* const high : {"\xed\xa0\x80", "\xed\xad\xbf", "\xed\xae\x80", "\xed\xaf\xbf"}) {
    for (char const* const low : {"\xed\xb0\x80", "\xed\xbf\xbf"}) {
      paired.invalid(std::string(high) + low);
    }
  }

  group odd(rows, 22);  // the last two of every plane are no characters, but valid
  odd.valid("\xef\xbf\xbe").valid("\xef\xbf\xbf");
  for (unsigned plane = 1; plane <= 16; ++plane) {
    for (unsigned last = 0xbe; last <= 0xbf; ++last) {
      odd.valid(sequence(0xf0 + plane / 4, {0x8f + plane % 4 * 16, 0xbf, last}));
    }
  }
  group specials(rows, 23);
  for (unsigned last = 0xb9; last <= 0xbf; ++last) specials.valid(sequence(0xef, {0xbf, last}));
}

}  // namespace

std::vector<conformance_case> utf8_cases() {
  std::vector<conformance_case> rows;
  add_fixed(rows);
  add_sequences(rows);
  return rows;
}

}  // namespace conformance
