"""The rules of this module, on the standard library and the shared contracts alone."""
