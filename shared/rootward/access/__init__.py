"""Who is asking, and what they may do: tokens, passwords, sessions, and the gate."""
