// The same file of a game without its handlers: what is left is including the library.
#include <cstdint>
#include <string>

#include <hawser/instances.hpp>

using game_policies = hawser::policies<>;
HAWSER_SERVER_CLASSES(extern template, game_policies);

void add_handlers(hawser::server& server) {
  server.on_connect([](hawser::socket) {});
}
