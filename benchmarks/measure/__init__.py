"""Measures hawser beside its peers: see benchmarks/README.md."""
