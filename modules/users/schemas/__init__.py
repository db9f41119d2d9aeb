"""What clients send and see. Secrets are sent, and shown once where they were made; no view repeats one."""
