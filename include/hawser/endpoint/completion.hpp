// A completion handler that waits, with its type erased: called once, posted, never inline.
#pragma once

#include <tuple>
#include <type_traits>
#include <utility>

#include <asio/associated_allocator.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/bind_executor.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>

#include <hawser/core/callback.hpp>
#include <hawser/transport/asio.hpp>

namespace hawser::inline HAWSER_ABI::inline HAWSER_ASIO_ABI {

/// What an asynchronous operation owes its caller. Keeps the handler's executor busy while it
/// waits. Destroyed unused, it destroys the handler, as Asio does when a context goes.
template <class... Results>
class completion {
 public:
  completion() noexcept = default;

  template <class Handler, class Executor>
  completion(Handler handler, Executor const& fallback) {
    auto executor = asio::get_associated_executor(handler, fallback);
    finish_ = [handler = std::move(handler), work = asio::make_work_guard(executor),
               executor](Results... results) mutable {
      asio::post(executor, [handler = std::move(handler),
                            arguments = std::tuple<Results...>(std::move(results)...)]() mutable {
        std::apply(handler, std::move(arguments));
      });
      work.reset();
    };
  }

  explicit operator bool() const noexcept { return static_cast<bool>(finish_); }

  /// Calls the handler with these results, later. Does nothing the second time.
  void operator()(Results... results) {
    auto finish = std::move(finish_);
    finish_.reset();
    if (finish) finish(std::move(results)...);
  }

 private:
  callback<void(Results...)> finish_;
};

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
