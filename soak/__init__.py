"""What takes too long for the tests: 200 kills and more than a million inputs. ``make soak``."""
