"""Does this explanation follow?"""
