"""When did we see this before?"""
