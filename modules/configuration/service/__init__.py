"""The use cases of this module."""
