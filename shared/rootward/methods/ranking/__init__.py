"""Where did it start?"""
