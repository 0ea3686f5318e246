// Our Socket.IO client against the official Node server.
import {testClient} from "./cpp_client.mjs";
import {startNode} from "./cpp_client_node.mjs";

testClient(startNode, {
  // Node answers a WebSocket that `allowRequest` refuses with 400.
  statusOfRefusedWebSocket: 400,
  // And it gives cookies only to who polls.
  noCookieOfWebSocket: true,
});
