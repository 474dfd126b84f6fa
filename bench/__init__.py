"""How fast it is, beside others on the same machine: ``make bench``. See docs/performance.md."""
