"""Which job goes to which worker and when, and what becomes of it."""
