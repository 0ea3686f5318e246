// Messages on their way to many: encoded once for each variant that their recipients agreed to.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <utility>

#include <hawser/core/payload.hpp>
#include <hawser/endpoint/anchor.hpp>
#include <hawser/machine/outbox.hpp>
#include <hawser/policy/framing.hpp>
#include <hawser/transport/asio.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// A broadcast under way in a server's `Core`. Costs a recipient a reference, no copy.
template <class Core>
class delivery {
 public:
  /// `what`: a message, or several that belong together and leave as one.
  delivery(Core& core, std::span<outgoing const> what, message_key key,
           std::span<connection_id const> except = {})
      : core_(core), what_(what), key_(key), except_(except) {}

  void to(typename Core::connection_type& one) {
    if (!one.is_open()) return;
    for (connection_id const& left_out : except_) {
      if (left_out == one.id) return;
    }
    payload const* const bytes = encoding_for(one);
    bool const refused =
        static_cast<bool>(bytes ? one.send_shared(*bytes, key_) : one.send(what_, key_));
    taken_ += refused ? 0 : 1;
  }

  Core& core() noexcept { return core_; }
  std::size_t taken() const noexcept { return taken_; }

 private:
  // Null: this peer needs bytes of its own.
  payload const* encoding_for(typename Core::connection_type& one) {
    auto& space = core_.space();
    if (encoded_ > 0 && what_.size() == 1) [[likely]] {  // mostly the one encoding will do
      unsigned const same = one.peer().variant(what_.front(), space.framing());
      if (same == variants_[0] && same != private_variant) return &encodings_[0];
    }
    unsigned variant = 0;
    for (outgoing const& part : what_) {  // what was agreed to is one number; parts have it or 0
      unsigned const of_part = one.peer().variant(part, space.framing());
      if (of_part == private_variant) return nullptr;
      variant = std::max(variant, of_part);
    }
    for (std::size_t i = 0; i < encoded_; ++i) {
      if (variants_[i] == variant) return &encodings_[i];
    }
    if (encoded_ == encodings_.size()) return nullptr;
    variants_[encoded_] = variant;
    if (what_.size() == 1) {
      auto const fresh = one.peer().encode(what_.front(), space.framing());
      encodings_[encoded_] = space.pack(fresh.head_view(), fresh.body);
    } else {
      encodings_[encoded_] = space.pack(one.encode_group(what_));
    }
    return &encodings_[encoded_++];
  }

  Core& core_;
  std::span<outgoing const> what_;
  message_key key_;
  std::span<connection_id const> except_;
  std::array<payload, 8> encodings_;
  std::array<unsigned, 8> variants_{};
  std::size_t encoded_ = 0;
  std::size_t taken_ = 0;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
