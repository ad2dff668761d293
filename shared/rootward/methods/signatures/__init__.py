"""Which patterns make up an incident?"""
