"""What Strum costs, measured: CPU, latency and memory of the real services, side by side in one run.

`python -m benchmarks` prints the figures and stores them; docs/benchmarks.md says what each of them means.
"""
