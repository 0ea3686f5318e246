// The other of two units that include everything.
#include <hawser.hpp>

int other_unit();
int other_unit() { return HAWSER_VERSION; }
