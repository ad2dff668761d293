"""What still holds in a new regime?"""
