"""What the admin pages of all apps share: fast lists, read-only pages, and the looks of other packages' models."""
