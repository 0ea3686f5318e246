#include "sim/raw_instances.hpp"

HAWSER_WEBSOCKET_SERVER_CLASSES(template, sim::plain);
HAWSER_WEBSOCKET_CLIENT_CLASSES(template, sim::plain);
