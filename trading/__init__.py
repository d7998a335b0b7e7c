"""SIGNAL and POSITION, and the words every app speaks."""
