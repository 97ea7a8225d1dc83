"""How requests come in: access, HTTP routes, the WebSocket session and the local page."""
