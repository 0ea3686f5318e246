// Feeds arbitrary Sec-WebSocket-Extensions headers to both sides of the negotiation.
#include <hawser/codec/ws/extension.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace hawser::ws;

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size < 3) return 0;
  deflate_options options;
  options.enabled = true;
  options.kind = (data[0] & 1) != 0 ? compressor::dedicated : compressor::shared;
  options.server_no_context_takeover = (data[0] & 2) != 0;
  options.client_no_context_takeover = (data[0] & 4) != 0;
  options.server_max_window_bits = 9 + data[1] % 7;
  options.client_max_window_bits = 9 + data[2] % 7;

  std::string_view rest(reinterpret_cast<char const*>(data) + 3, size - 3);
  std::vector<std::string_view> values;
  for (;;) {
    auto const line = rest.find('\n');
    values.push_back(rest.substr(0, line));
    if (line == std::string_view::npos) break;
    rest.remove_prefix(line + 1);
  }

  auto const list = parse_extensions(values);
  auto const accepted = accept_offer(values, options);
  auto const checked = check_answer(values, options);
  require(list.has_value() == accepted.has_value());
  if (list) {
    // What was read means the same when it is written out again.
    std::string text;
    for (auto const& element : *list) {
      if (!text.empty()) text += ',';
      text += element.name;
      for (auto const& [name, value] : element.params) {
        require(!name.empty() && (!value || !value->empty()));
        text += ';';
        text += name;
        if (value) text += '=' + *value;
      }
    }
    if (text.size() <= max_extension_value) {
      std::string_view const again[] = {text};
      auto const copy = accept_offer(again, options);
      require(copy && *copy == *accepted);
    }
  }
  if (accepted && *accepted) {
    auto const& agreement = **accepted;
    require(agreement.server_window_bits >= 9);
    require(agreement.server_window_bits <= options.server_max_window_bits);
    require(agreement.client_window_bits >= 8 && agreement.client_window_bits <= 15);
    // A client that asked for anything is content with the answer.
    deflate_options any;
    any.enabled = true;
    any.kind = compressor::dedicated;
    any.server_max_window_bits = 15;
    any.server_no_context_takeover = false;
    std::string const text = answer(agreement);
    std::string_view const said[] = {text};
    auto const sealed = check_answer(said, any);
    require(agreement.client_window_bits == 8 ? !sealed : sealed && **sealed == agreement);
  }
  if (checked && *checked) {
    require((**checked).server_window_bits <= options.server_max_window_bits);
    require((**checked).client_window_bits >= 9);
    require((**checked).client_window_bits <= options.client_max_window_bits);
  }
  return 0;
}
