"""What Strum costs, measured side by side in one run."""
