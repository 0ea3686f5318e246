#include "conformance/cases.hpp"

namespace conformance {
namespace {

struct shape {
  std::size_t size;
  std::size_t fragment;
};

// Sizes of messages, and of the fragments of their compressed payload.
constexpr shape shapes[] = {
    {16, 0},      {64, 0},      {256, 0},      {1024, 0},      {4096, 0},      {8192, 0},
    {16384, 0},   {32768, 0},   {65536, 0},    {131072, 0},    {8192, 256},    {16384, 256},
    {32768, 256}, {65536, 256}, {131072, 256}, {131072, 1024}, {131072, 4096}, {131072, 32768}};

// A client that can be asked for anything says so (RFC 7692 sections 7.1.1.2 and 7.1.2.2).
std::string const plain_offer =
    "permessage-deflate; client_no_context_takeover; client_max_window_bits";

void add(std::vector<conformance_case>& rows, std::string const& group, compression const& how,
         exchange::source from, std::size_t bytes, std::size_t count) {
  bool const is_text = from == exchange::source::json || from == exchange::source::html;
  int i = 0;
  for (auto const& [size, fragment] : shapes) {
    conformance_case row;
    row.id = group + "." + std::to_string(++i);
    row.deflate = how;
    row.messages = exchange{from, size, messages_within(size, bytes, count), fragment, !is_text};
    rows.push_back(row);
  }
}

}  // namespace

std::vector<conformance_case> deflate_cases(std::size_t bytes, std::size_t count) {
  using source = exchange::source;
  std::vector<conformance_case> rows;
  int i = 0;
  for (source const from :
       {source::json, source::bitmap, source::prose, source::html, source::document}) {
    add(rows, "12." + std::to_string(++i), {.offer = plain_offer}, from, bytes, count);
  }
  std::string const forget = "server_no_context_takeover";
  std::string const nine = "server_max_window_bits=9";
  std::string const fifteen = "server_max_window_bits=15";
  compression const bargains[] = {
      {.offer = plain_offer},
      {.offer = plain_offer + "; " + forget,
       .answered = {forget},
       .answer_more = "; client_no_context_takeover"},
      {.offer = plain_offer + "; " + nine,
       .answered = {nine},
       .answer_more = "; client_max_window_bits=9"},
      {.offer = plain_offer + "; " + fifteen,
       .answered = {"server_max_window_bits="},
       .answer_more = "; client_max_window_bits=15"},
      {.offer = plain_offer + "; " + forget + "; " + nine,
       .answered = {forget, nine},
       .answer_more = "; client_no_context_takeover; client_max_window_bits=9"},
      {.offer = plain_offer + "; " + forget + "; " + fifteen,
       .answered = {forget, "server_max_window_bits="},
       .answer_more = "; client_no_context_takeover; client_max_window_bits=15"},
      // Three offers, best first.
      {.offer = plain_offer + "; " + forget + "; " + nine + ", " + plain_offer + "; " + forget +
                ", " + plain_offer,
       .answered = {forget, nine},
       .answer_more = "; client_no_context_takeover; client_max_window_bits=9"},
  };
  i = 0;
  for (auto const& bargain : bargains) {
    add(rows, "13." + std::to_string(++i), bargain, source::json, bytes, count);
  }
  return rows;
}

}  // namespace conformance
