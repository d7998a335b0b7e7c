"""INTENT and TRANSACTION: what a decision allows reaches the chain exactly once."""
