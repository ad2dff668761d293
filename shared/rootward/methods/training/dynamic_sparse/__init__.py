"""Forecasters that are sparse from the first step of their training on."""
