"""Every query on the schema `configuration`."""
