"""The HTTP API of VIP bundles."""
