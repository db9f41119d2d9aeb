"""OCPP 1.6 edition 2 with the security whitepaper: one file per action or family, and `routes` that lists them."""
