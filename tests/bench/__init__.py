"""How fast it is, beside what its node and its database could do at most: `make bench`."""
