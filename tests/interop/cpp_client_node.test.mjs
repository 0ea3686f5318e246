// Our Socket.IO client against the official Node server.
import {testClient} from "./cpp_client.mjs";
import {startNode} from "./cpp_client_node.mjs";

testClient(startNode, {
  // It gives cookies only to who polls.
  noCookieOfWebSocket: true,
  // Of what arrives together with a socket's leave it handles nothing.
  losesWhatComesWithLeave: true,
});
