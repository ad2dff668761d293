"""Domain counterfactuals: the previous regime's view of these minutes."""
