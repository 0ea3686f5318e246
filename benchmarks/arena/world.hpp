// The game: runners on a round track, each of whom sees those around it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "protocol.hpp"

namespace arena {

/// A runner, and the peer that plays it.
template <class Peer>
struct player {
  Peer peer;
  std::uint32_t id;
  std::uint32_t room;
  std::uint32_t in_view;    ///< positions that it gets
  std::uint32_t heard = 0;  ///< its newest input
  float x, lane, speed;
};

/// Keeps the runners in the order of their places, so that whom somebody sees lies in one piece.
template <class Peer>
class world {
 public:
  using player_type = player<Peer>;

  player_type& join(Peer peer, std::uint32_t rooms) {
    std::uint32_t const id = ++last_id_;
    auto added = std::make_unique<player_type>(
        player_type{.peer = std::move(peer),
                    .id = id,
                    .room = id % rooms,
                    .in_view = least_in_view + id % (most_in_view - least_in_view + 1),
                    .x = static_cast<float>(id * 7919 % 100'000) * (track / 100'000),
                    .lane = static_cast<float>(id % 8),
                    .speed = 5 + static_cast<float>(id % 100) * 0.02f});
    order_.push_back(std::move(added));
    seen_.resize(order_.size() + most_in_view);
    return *order_.back();
  }

  void leave(std::uint32_t id) {
    std::erase_if(order_, [id](auto const& one) { return one->id == id; });
    seen_.resize(order_.size() + most_in_view);
  }

  void steer(player_type& who, input const& wants) {
    who.heard = wants.sequence;
    who.speed = std::clamp(who.speed + std::clamp(wants.push, -1.0f, 1.0f), 4.0f, 8.0f);
  }

  void move(float seconds) {
    for (auto const& one : order_) {
      one->x += one->speed * seconds;
      if (one->x >= track) one->x -= track;
    }
    // Nearly in order: who overtakes changes places with one or two.
    for (std::size_t i = 1; i < order_.size(); ++i) {
      for (std::size_t j = i; j > 0 && order_[j]->x < order_[j - 1]->x; --j) {
        std::swap(order_[j], order_[j - 1]);
      }
    }
    for (std::size_t i = 0; i < order_.size(); ++i) {
      seen_[i] = {order_[i]->id, order_[i]->x, order_[i]->lane};
    }
    // Behind the last one runs the first one.
    for (std::size_t i = 0; i < most_in_view && !order_.empty(); ++i) {
      seen_[order_.size() + i] = seen_[i % order_.size()];
    }
  }

  /// Every player with what it sees, valid until somebody moves, joins or leaves.
  template <class Visit>
  void for_each_view(Visit&& visit) {
    std::size_t const all = order_.size();
    for (std::size_t rank = 0; rank < all; ++rank) {
      player_type& who = *order_[rank];
      std::size_t const count = std::min<std::size_t>(who.in_view, all);
      std::size_t const from = (rank + all - count / 2) % all;
      visit(who, std::span<position const>(seen_).subspan(from, count));
    }
  }

  std::size_t size() const noexcept { return order_.size(); }

 private:
  static constexpr float track = 400;  // metres

  std::vector<std::unique_ptr<player_type>> order_;
  std::vector<position> seen_;
  std::uint32_t last_id_ = 0;
};

}  // namespace arena
