"""Kubernetes, read only: what is done to workloads, as change events."""
