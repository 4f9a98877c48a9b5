"""VIP bundles: a show, flights and a taxi, booked step by step or taken back."""
