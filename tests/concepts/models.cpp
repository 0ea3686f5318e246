// The stock models are of their concepts. Their headers don't say so: every program that includes
// them would check it, and sets of policies check what they are made of anyway.
#include <hawser/policies.hpp>

namespace {

using namespace hawser;

static_assert(packet_parser<text_parser> && packet_parser<msgpack_parser>);
static_assert(session_framing_policy<socketio_framing> && session_framing_policy<msgpack_framing>);
static_assert(adapter_policy<local_adapter>);
static_assert(backpressure_policy<disconnect_slow> && backpressure_policy<drop_newest> &&
              backpressure_policy<drop_oldest> && backpressure_policy<latest_by_key> &&
              backpressure_policy<pause_reading>);
static_assert(session_heartbeat_policy<server_ping> && session_heartbeat_policy<no_heartbeat>);
static_assert(heartbeat_policy<websocket_ping> && heartbeat_policy<no_heartbeat>);
static_assert(offline_queue_policy<bounded_queue> && offline_queue_policy<no_queue>);
static_assert(reconnect_policy<exponential_backoff> && reconnect_policy<no_reconnect>);
static_assert(room_policy<hash_rooms> && room_policy<no_rooms>);
static_assert(transport_policy<tcp>);
#if HAWSER_WITH_TLS
static_assert(transport_policy<tls> && transport_policy<tcp_or_tls>);
#endif

}  // namespace
