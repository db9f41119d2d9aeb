"""What every module shares, and nothing more: Module, Handler, Work, HTTP routes as values, errors, inbox and outbox."""
