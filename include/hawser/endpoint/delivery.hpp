// One message on its way to many: encoded once for each variant that its recipients agreed to.
#pragma once

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
  delivery(Core& core, outgoing const& what, message_key key, std::span<connection_id const> except)
      : core_(core), what_(what), key_(key), except_(except) {}

  void to(typename Core::connection_type& one) {
    if (!one.is_open()) return;
    for (connection_id const& left_out : except_) {
      if (left_out == one.id) return;
    }
    payload const* const bytes = encoding_for(one);
    bool const refused = bytes ? static_cast<bool>(one.send_shared(*bytes, key_))
                               : static_cast<bool>(one.send(what_, key_));
    taken_ += refused ? 0 : 1;
  }

  Core& core() noexcept { return core_; }
  std::size_t taken() const noexcept { return taken_; }

 private:
  // Null: this peer needs bytes of its own.
  payload const* encoding_for(typename Core::connection_type& one) {
    auto& space = core_.space();
    unsigned const variant = one.peer().variant(what_, space.framing());
    if (variant == private_variant) return nullptr;
    for (std::size_t i = 0; i < encoded_; ++i) {
      if (variants_[i] == variant) return &encodings_[i];
    }
    if (encoded_ == encodings_.size()) return nullptr;
    auto const fresh = one.peer().encode(what_, space.framing());
    variants_[encoded_] = variant;
    encodings_[encoded_] = space.pack(fresh.head_view(), fresh.body);
    return &encodings_[encoded_++];
  }

  Core& core_;
  outgoing const& what_;
  message_key key_;
  std::span<connection_id const> except_;
  std::array<payload, 8> encodings_;
  std::array<unsigned, 8> variants_{};
  std::size_t encoded_ = 0;
  std::size_t taken_ = 0;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
