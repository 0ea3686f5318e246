#include "sim/socketio_instances.hpp"

HAWSER_SERVER_CLASSES(template, sim::io_plain);
HAWSER_CLIENT_CLASSES(template, sim::io_plain);
