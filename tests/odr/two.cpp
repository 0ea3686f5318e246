// The other of two units that include everything; this one has seen the names before.
#include <hawser/fwd.hpp>

#include <hawser.hpp>

int other_unit();
int other_unit() { return HAWSER_VERSION; }
