"""The domain: tenants, accounts, passwords, tickets, application tokens.

Knows no XML, no HTTP and no SQL. It says what it refuses in errors of its own.
"""
