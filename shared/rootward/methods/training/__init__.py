"""How small a forecaster suffices?"""
