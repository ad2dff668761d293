"""What to try next?"""
