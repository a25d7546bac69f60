"""Benchmarks: us, the peers and the floor, interleaved in one run, by `./dev bench`; the product imports none."""
