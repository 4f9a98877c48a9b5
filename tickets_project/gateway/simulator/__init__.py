"""The gateway simulator: the upstream services over real HTTP, and the faults that they are told to have."""
