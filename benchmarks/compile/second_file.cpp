// A file of a game that only names what its handlers get.
#include <hawser/fwd.hpp>

namespace game {

struct player {
  float x = 0;
  float y = 0;
};

void on_move(hawser::socket const& who, player& of, float x, float y);

void walk(hawser::socket const& who, player& of) { on_move(who, of, of.x + 1, of.y); }

}  // namespace game
