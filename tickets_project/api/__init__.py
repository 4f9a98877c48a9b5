"""The ground rules of the HTTP API: who may ask, what a body may hold, how a refusal looks, what a repetition does."""
