"""Everything that exists for trying out and testing only. Nothing else may import it."""
