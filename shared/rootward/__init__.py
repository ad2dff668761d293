"""Rootward: self-hosted root-cause analysis for microservices."""

__version__ = "0.1.0"
