"""OCPP 2.1: what it adds to 2.0.1."""
