"""Did something change, and when?"""
