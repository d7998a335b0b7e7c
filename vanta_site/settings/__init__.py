"""Settings, one file a concern; everything that differs between machines comes from the environment."""
