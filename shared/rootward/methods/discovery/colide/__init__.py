"""CoLiDE: a linear map of who drives whom, and each series' own noise, in one fit."""
