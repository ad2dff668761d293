"""What did this rollout do?"""
