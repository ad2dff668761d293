"""CD-NOD: whose own behaviour changed at the incident, and who merely felt it."""
