// What other threads want from a server or client, in a bounded queue with one wake-up per batch.
#pragma once

#include <cstddef>
#include <iterator>
#include <mutex>
#include <system_error>
#include <utility>
#include <vector>

#include <hawser/core/callback.hpp>
#include <hawser/core/error.hpp>

namespace hawser::inline HAWSER_ABI {

/// Tasks for the thread of a server or client. `push` may be called from any thread, everything
/// else from the owner's.
class mailbox {
 public:
  struct limits {
    std::size_t max_messages = 65'536;
    std::size_t max_bytes = std::size_t{16} << 20;
  };

  /// `wake` is called once for every batch, with a lock held, on the pushing thread.
  void open(limits const& numbers, callback<void()> wake) {
    std::lock_guard const lock(mutex_);
    numbers_ = numbers;
    wake_ = std::move(wake);
    open_ = true;
  }

  /// No task runs after this; the owner's executor is not touched any more.
  void close() noexcept {
    std::vector<callback<void()>> unheard;  // destroyed without the lock: they may hold handles
    {
      std::lock_guard const lock(mutex_);
      open_ = false;
      unheard.swap(tasks_);
      wake_.reset();
    }
  }

  /// Errors: `mailbox_full`, `not_open`. `bytes` is what the task carries. Answers that somebody
  /// waits for are `urgent`: bounded by what waits for them, and never refused for lack of room.
  std::error_code push(callback<void()> task, std::size_t bytes, bool urgent = false) {
    std::lock_guard const lock(mutex_);
    if (!open_) return make_error_code(errc::not_open);
    bool const full = tasks_.size() >= numbers_.max_messages || bytes > numbers_.max_bytes ||
                      bytes_ > numbers_.max_bytes - bytes;
    if (full && !urgent) {
      ++refused_;
      return make_error_code(errc::mailbox_full);
    }
    bytes_ += bytes;
    tasks_.push_back(std::move(task));
    if (tasks_.size() == 1) wake_();
    return {};
  }

  /// Runs the tasks of one batch in order, each by `run(task)`. None runs after `close`. If one
  /// throws, those behind it come with the next batch, for which the owner is woken.
  template <class Run>
  void drain(Run&& run) {
    std::vector<callback<void()>> batch = std::move(spare_);
    {
      std::lock_guard const lock(mutex_);
      batch.swap(tasks_);
      bytes_ = 0;
    }
    std::size_t begun = 0;
    try {
      while (begun < batch.size() && open_) run(batch[begun++]);
    } catch (...) {
      put_back(batch, begun);
      throw;
    }
    batch.clear();
    spare_ = std::move(batch);
  }

  /// Tasks refused so far.
  std::size_t refused() const {
    std::lock_guard const lock(mutex_);
    return refused_;
  }

 private:
  void put_back(std::vector<callback<void()>>& batch, std::size_t from) {
    std::lock_guard const lock(mutex_);
    if (!open_ || from == batch.size()) return;
    bool const asleep = tasks_.empty();
    auto const first = batch.begin() + static_cast<std::ptrdiff_t>(from);
    tasks_.insert(tasks_.begin(), std::make_move_iterator(first),
                  std::make_move_iterator(batch.end()));
    if (asleep) wake_();
  }

  mutable std::mutex mutex_;
  limits numbers_;
  callback<void()> wake_;
  std::vector<callback<void()>> tasks_;
  std::vector<callback<void()>> spare_;  // keeps its memory between batches
  std::size_t bytes_ = 0;
  std::size_t refused_ = 0;
  bool open_ = false;  // changed by the owner's thread only, under the lock
};

}  // namespace hawser::inline HAWSER_ABI
