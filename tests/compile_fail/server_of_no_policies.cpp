// EXPECT: policy_set
#include <hawser/server.hpp>

// A server takes a set of policies, not one of them.
#ifdef CORRECTED
using chosen = hawser::basic_server<hawser::policies<hawser::tcp>>;
#else
using chosen = hawser::basic_server<hawser::tcp>;
#endif
chosen* made = nullptr;
