"""Which few sources explain the rest?"""
