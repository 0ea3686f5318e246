// Counts what the test program allocates with operator new.
#pragma once

#include <cstddef>

namespace hawser_test {

/// False under sanitizers, whose own operator new finds more faults than a count.
extern bool const allocations_counted;

/// Calls of any operator new since the program began.
std::size_t allocations() noexcept;

}  // namespace hawser_test
