// One of two units that include everything: whatever is not inline shows as a duplicate symbol.
#include <hawser.hpp>

int other_unit();

int main() { return other_unit() == HAWSER_VERSION ? 0 : 1; }
