"""What VIP bundles do when a message arrives."""
