"""What goes over HTTP: bodies, queries and views."""
