"""What stands in for the outside. Nothing of ours is ever faked, and a contract suite holds each fake to its port."""
