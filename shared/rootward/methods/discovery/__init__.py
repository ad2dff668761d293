"""Which series drive which?"""
