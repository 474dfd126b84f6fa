"""The schema's history. Each file under versions/ begins with its number; numbers only grow."""
