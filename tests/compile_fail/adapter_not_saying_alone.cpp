// EXPECT: adapter_policy
#include <hawser/policies.hpp>

// An adapter that doesn't say whether it is alone.
struct wire {
  struct options {};
#ifdef CORRECTED
  static constexpr bool alone = false;
#endif
  wire(options const&, hawser::cluster_inbox&) {}
  std::error_code open(std::string_view) { return {}; }
  void close(std::string_view) {}
  std::error_code publish(hawser::cluster_operation const&) { return {}; }
  void answer(hawser::cluster_answer const&) {}
  std::size_t others(std::string_view) const { return 0; }
};

using chosen = hawser::policies<>::with_adapter<wire>;
