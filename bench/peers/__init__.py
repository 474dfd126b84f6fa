"""Other servers that answer the same message: each in a process of its own."""
