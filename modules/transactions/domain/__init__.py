"""The rules of charging transactions: what a start, a stop and a report make of them."""
