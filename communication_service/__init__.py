"""The communication service: ends the WebSockets of charging stations and bridges them to the bus."""
