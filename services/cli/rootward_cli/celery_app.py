"""The object that `celery -A rootward_cli.celery_app inspect active` looks at."""

from rootward import bootstrap, settings

app = bootstrap.celery_app(settings.load())
