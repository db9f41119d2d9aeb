"""Every query on this schema, a file per group of tables; statuses have a store of their own, see `status_store`."""
