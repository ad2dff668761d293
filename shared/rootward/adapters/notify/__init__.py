"""Tells others what happens to incidents: Slack, PagerDuty, signed webhooks."""
