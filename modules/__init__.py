"""The bounded contexts. Each owns a schema and meets the others only in messages."""
