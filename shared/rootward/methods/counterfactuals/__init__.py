"""What if it had stayed normal?"""
