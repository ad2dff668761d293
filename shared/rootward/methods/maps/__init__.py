"""Can one read the map?"""
