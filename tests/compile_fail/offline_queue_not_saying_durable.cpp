// EXPECT: offline_queue_policy
#include <hawser/policies.hpp>

// A queue that doesn't say whether its messages outlive the program.
struct forgetful : hawser::no_queue {
  using no_queue::no_queue;
#ifndef CORRECTED

 private:
  using no_queue::is_durable;
#endif
};

using chosen = hawser::policies<>::with_offline_queue<forgetful>;
