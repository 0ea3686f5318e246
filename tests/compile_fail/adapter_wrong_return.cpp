// EXPECT: adapter_policy
#include <hawser/policies.hpp>

// An adapter that doesn't say whether it could publish.
struct wire {
  struct options {};
  static constexpr bool alone = false;
  wire(options const&, hawser::cluster_inbox&) {}
  std::error_code open(std::string_view) { return {}; }
  void close(std::string_view) {}
#ifdef CORRECTED
  std::error_code publish(hawser::cluster_operation const&) { return {}; }
#else
  void publish(hawser::cluster_operation const&) {}
#endif
  void answer(hawser::cluster_answer const&) {}
  std::size_t others(std::string_view) const { return 0; }
};

using chosen = hawser::policies<>::with_adapter<wire>;
