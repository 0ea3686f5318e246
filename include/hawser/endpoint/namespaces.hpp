// Namespaces of a Socket.IO server, static and dynamic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <hawser/codec/sio/packet.hpp>
#include <hawser/endpoint/engine_front.hpp>
#include <hawser/endpoint/nsp_record.hpp>
#include <hawser/machine/recovery.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// A namespace with what depends on the policies.
template <class Policies>
struct nsp_state : nsp_record {
  struct recovery {
    recovery_log log;
    saved_sessions sessions;
    std::unordered_map<std::string_view, socket_id> live;  // by pid; keys are views of the sockets
  };

  nsp_state(std::string called, std::uint64_t numbered, std::shared_ptr<nsp_rules> by,
            typename Policies::rooms::options const& limits, std::uint64_t seed)
      : nsp_record(std::move(called), numbered, std::move(by)), rooms(limits, seed) {}

  typename Policies::rooms rooms;      // members are slots of sockets
  std::vector<std::uint32_t> members;  // slots of the connected sockets
  std::size_t sockets = 0;             // those that ask, too
  std::unique_ptr<recovery> recover;
};

/// Third layer of `socketio_core` (`Derived`).
template <class Derived, class Policies>
class namespaces : public engine_front<Derived, Policies> {
 public:
  using base = engine_front<Derived, Policies>;
  using nsp_type = nsp_state<Policies>;

  std::chrono::milliseconds connect_timeout() const noexcept { return limits_.connect_timeout; }

  /// The namespace of this name, which is made if there is none. Null: no name, or too long.
  nsp_type* of(std::string_view name) {
    std::string full(name.starts_with('/') ? "" : "/");
    full += name;
    if (full.size() > sio::max_namespace_size || full.find(',') != std::string::npos)
      return nullptr;
    auto const found = by_name_.find(full);
    if (found != by_name_.end()) return found->second.get();
    return add_nsp(std::move(full), std::make_shared<nsp_rules>(), nullptr);
  }

  /// A dynamic namespace: the parent of those whose names `matches` says yes to.
  nsp_type* of(callback<bool(std::string_view, json const&)> matches) {
    auto rules = std::make_shared<nsp_rules>();
    rules->matches = std::move(matches);
    auto made = make_nsp("/_" + std::to_string(parents_.size()), std::move(rules));
    nsp_type* const parent = made.get();
    by_number_.emplace(parent->number, parent);
    parents_.push_back(std::move(made));
    return parent;
  }

  nsp_record* find_nsp(std::uint64_t number) override {
    if (number == root_->number) [[likely]]
      return root_;
    auto const found = by_number_.find(number);
    return found == by_number_.end() ? nullptr : found->second;
  }
  nsp_type& root() noexcept { return *root_; }
  nsp_type* find_named(std::string_view name) noexcept {
    auto const found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second.get();
  }

  /// Its children, or itself if it is no parent.
  template <class Visit>
  void for_each_child(nsp_record& in, Visit&& visit) {
    if (!in.rules->matches || in.parent) return visit(static_cast<nsp_type&>(in));
    std::vector<std::uint64_t> children;
    for (auto const& [name, one] : by_name_) {
      if (one->parent == &in) children.push_back(one->number);
    }
    for (std::uint64_t const number : children) {
      if (auto* const one = find_nsp(number)) visit(static_cast<nsp_type&>(*one));
    }
  }

 protected:
  namespaces(typename base::executor_type executor, server_options<Policies>& options)
      : base(std::move(executor), options),
        limits_(options.sockets),
        recovery_(options.recovery),
        room_limits_(options.rooms) {
    auto const beat = Policies::heartbeat::announced(this->heartbeat_options());
    recovery_.unnoticed = beat.interval + beat.timeout;
    root_ = add_nsp("/", std::make_shared<nsp_rules>(), nullptr);
  }

  /// For a CONNECT: static namespaces, then dynamic ones in the order in which they were made.
  nsp_type* nsp_for(std::string_view name, json const& auth) {
    auto const found = by_name_.find(name);
    if (found != by_name_.end()) return found->second.get();
    for (std::size_t i = 0; i < parents_.size(); ++i) {  // whoever is asked may make more of them
      nsp_type* const parent = parents_[i].get();
      bool matches = false;
      this->fenced([&] { matches = parent->rules->matches(name, auth); });
      if (auto* const made = find_named(name)) return made;  // by whoever was asked
      if (!matches) continue;
      if (children_ >= limits_.max_child_namespaces) return nullptr;
      ++children_;
      nsp_type* const child = add_nsp(std::string(name), parent->rules, parent);
      if (parent->rules->on_child) {
        this->fenced([&] { parent->rules->on_child(this->anchored(), child->number); });
      }
      return child;
    }
    return nullptr;
  }

  void remove_child(nsp_type& in) {
    if constexpr (!Policies::adapter::alone) this->derived().nsp_removed(in);
    --children_;
    by_number_.erase(in.number);
    auto node = by_name_.extract(std::string(in.name));
    this->retire(std::move(node.mapped()));
  }

  socketio_limits limits_;
  recovery_options recovery_;

 private:
  struct hasher {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const noexcept {
      return std::hash<std::string_view>()(name);
    }
  };

  std::unique_ptr<nsp_type> make_nsp(std::string name, std::shared_ptr<nsp_rules> rules) {
    auto made = std::make_unique<nsp_type>(std::move(name), next_number_++, std::move(rules),
                                           room_limits_, this->random().next());
    if (recovery_.enabled) {
      made->recover.reset(new typename nsp_type::recovery{
          recovery_log(recovery_, this->random().next()), saved_sessions(recovery_), {}});
    }
    return made;
  }

  nsp_type* add_nsp(std::string name, std::shared_ptr<nsp_rules> rules, nsp_record* parent) {
    auto made = make_nsp(name, std::move(rules));
    made->parent = parent;
    nsp_type* const added = made.get();
    by_number_.emplace(added->number, added);
    by_name_.emplace(std::move(name), std::move(made));
    if constexpr (!Policies::adapter::alone) {
      if (root_) this->derived().nsp_added(*added);  // the first is told by `clustering` itself
    }
    return added;
  }

  typename Policies::rooms::options room_limits_;
  std::unordered_map<std::string, std::unique_ptr<nsp_type>, hasher, std::equal_to<>> by_name_;
  std::unordered_map<std::uint64_t, nsp_type*> by_number_;
  std::vector<std::unique_ptr<nsp_type>> parents_;
  nsp_type* root_ = nullptr;
  std::uint64_t next_number_ = 1;
  std::size_t children_ = 0;
};

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
