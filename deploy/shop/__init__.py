"""The demo shop: eight small HTTP services that call each other, and faults that really happen."""
