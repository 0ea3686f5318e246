// The consumer of every packaging test: the whole library in a program that is not ours.
#include <hawser.hpp>

#include <cstdio>

int main() {
  std::printf("hawser %d.%d.%d\n", HAWSER_VERSION_MAJOR, HAWSER_VERSION_MINOR,
              HAWSER_VERSION_PATCH);
}
