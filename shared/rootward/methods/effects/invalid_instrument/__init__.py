"""What a rollout did, when its flag is not always followed and not harmless itself."""
