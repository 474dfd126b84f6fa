"""Tables, migrations, statements, and the executors that run them. Knows no rules."""
