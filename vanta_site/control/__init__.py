"""The control page of the console: what people do to the whole desk, each act saying in numbers what will happen."""
