// A completion handler that waits, with its type erased: called once, posted, never inline.
#pragma once

#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/bind_executor.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/error.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>

#include <hawser/core/callback.hpp>
#include <hawser/transport/asio.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// What an asynchronous operation owes its caller. Keeps the handler's executor busy while it
/// waits. Destroyed unused, it destroys the handler, as Asio does when a context goes.
///
/// *Cancellation*: a token with a cancellation slot may end the wait, with `operation_aborted` and
/// with the next turn of the loop. Whoever keeps the completion finds it empty then.
template <class... Results>
class completion {
 public:
  completion() noexcept = default;

  template <class Handler, class Executor>
  completion(Handler handler, Executor const& fallback) {
    auto executor = asio::get_associated_executor(handler, fallback);
    auto slot = asio::get_associated_cancellation_slot(handler);
    waiting_ = std::make_shared<waiting>();
    if (slot.is_connected()) {
      slot.assign([fallback, weak = std::weak_ptr<waiting>(waiting_)](asio::cancellation_type) {
        // Not at once: what the slot holds, this function too, goes with the wait.
        asio::post(fallback, [weak] {
          if (auto const kept = weak.lock()) kept->cancel();
        });
      });
    }
    waiting_->finish = [handler = std::move(handler), slot, work = asio::make_work_guard(executor),
                        executor](Results... results) mutable {
      if (slot.is_connected()) slot.clear();
      asio::post(executor, [handler = std::move(handler),
                            arguments = std::tuple<Results...>(std::move(results)...)]() mutable {
        std::apply(handler, std::move(arguments));
      });
      work.reset();
    };
  }

  explicit operator bool() const noexcept { return waiting_ && waiting_->finish; }

  /// What else is to be done when the operation is cancelled, before it completes.
  void on_cancel(callback<void()> stop) {
    if (waiting_) waiting_->stop = std::move(stop);
  }

  /// Calls the handler with these results, later. Does nothing the second time.
  void operator()(Results... results) {
    if (auto const kept = std::exchange(waiting_, nullptr)) kept->end(std::move(results)...);
  }

 private:
  struct waiting {
    callback<void(Results...)> finish;
    callback<void()> stop;

    void end(Results... results) {
      stop.reset();
      auto once = std::exchange(finish, {});
      if (once) once(std::move(results)...);
    }
    void cancel() {
      if (!finish) return;
      auto also = std::exchange(stop, {});
      if (also) also();
      abort(std::type_identity<std::tuple<Results...>>());
    }
    template <class Error, class... Rest>
    void abort(std::type_identity<std::tuple<Error, Rest...>>) {
      end(make_error_code(asio::error::operation_aborted), Rest{}...);
    }
  };

  std::shared_ptr<waiting> waiting_;
};

/// Completes all that wait, alike. What they start is not among them.
template <class List, class... Results>
void complete_all(List& waiting, Results const&... results) {
  auto all = std::exchange(waiting, {});
  for (auto& one : all) one(results...);
}

/// Takes the first that still waits out of a queue; those before it were cancelled. Empty: nobody.
template <class List>
typename List::value_type take_first(List& waiting) {
  while (!waiting.empty()) {
    auto first = std::move(waiting.front());
    waiting.pop_front();
    if (first) return first;
  }
  return {};
}

/// Starts an operation for any completion token: `start(completion)` is called at once.
template <class... Results, class Executor, class Token, class Start>
auto initiate(Executor const& executor, Token&& token, Start start) {
  return asio::async_initiate<Token, void(Results...)>(
      [executor, start = std::move(start)](auto handler) mutable {
        start(completion<Results...>(std::move(handler), executor));
      },
      token);
}

}  // namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI
