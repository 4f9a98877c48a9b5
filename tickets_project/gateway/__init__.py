"""The upstream services as the project sees them: one small client module per service, and the simulator."""
