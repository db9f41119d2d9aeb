"""Every query on the schema `transactions`."""
