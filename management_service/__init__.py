"""The management service: hosts the modules; it has no business rule of its own."""
