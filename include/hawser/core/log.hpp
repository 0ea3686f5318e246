// The log hook: levels, an event name, and fields that are safe to print.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include <hawser/core/callback.hpp>

namespace hawser::inline HAWSER_ABI {

enum class log_level : std::uint8_t { debug, info, warning, error };

struct log_field {
  std::string_view key;
  std::string_view value;
};

/// One thing worth telling. Names and keys are the library's own; values are printable ASCII of at
/// most 256 bytes, whatever a peer sent, and never hold tokens, cookies or message contents.
struct log_record {
  log_level level;
  std::string_view event;
  std::span<log_field const> fields;
};

using log_hook = callback<void(log_record const&)>;

/// A peer's text as it may be logged: other bytes than printable ASCII as `\xHH`, 256 at most.
inline std::string log_safe(std::string_view text) {
  constexpr std::size_t max_size = 256;
  constexpr std::string_view digits = "0123456789abcdef";
  std::string safe;
  for (char const c : text) {
    auto const byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '\\') {
      safe += c;
    } else {
      safe.append("\\x").append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
    }
    if (safe.size() > max_size) {
      safe.resize(max_size - 3);
      return safe.append("...");
    }
  }
  return safe;
}

/// Hands records to the hook. Silent without one.
class logger {
 public:
  logger() = default;
  logger(log_hook hook, log_level least) : hook_(std::move(hook)), least_(least) {}

  void operator()(log_level level, std::string_view event,
                  std::initializer_list<log_field> fields = {}) noexcept {
    if (!hook_ || level < least_) return;
    try {
      std::string safe[max_fields];
      log_field clean[max_fields];
      std::size_t count = 0;
      for (auto const& field : fields) {
        if (count == max_fields) break;
        safe[count] = log_safe(field.value);
        clean[count] = {field.key, safe[count]};
        ++count;
      }
      hook_({level, event, {clean, count}});
    } catch (...) {  // a hook that fails must not take the server with it
    }
  }

  bool enabled(log_level level) const noexcept { return hook_ && level >= least_; }

 private:
  static constexpr std::size_t max_fields = 6;
  log_hook hook_;
  log_level least_ = log_level::info;
};

}  // namespace hawser::inline HAWSER_ABI
