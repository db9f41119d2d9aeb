"""OCPP 2.0.1 edition 3: one file per action or family, and `routes` that lists them. 2.1 builds on it."""
