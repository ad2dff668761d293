"""The algorithm: columns, topology, value of actions, change of columns, and the loop."""
