"""What is fast, said as ratios to a limit or a peer that runs beside us: `python -m benchmarks [NAME…]`."""
