"""What goes over the wire between a client and the server; specified in docs/protocol.md."""
