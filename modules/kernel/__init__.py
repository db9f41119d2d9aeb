"""What every module shares, and nothing more: Module, Handler, Work, routes as values, errors, inbox and outbox."""
