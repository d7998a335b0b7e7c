"""DECISION: every signal is checked, and every check is kept."""
