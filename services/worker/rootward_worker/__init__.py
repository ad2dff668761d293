"""Worker: detection and jobs."""
