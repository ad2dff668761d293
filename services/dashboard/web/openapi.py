"""Print the OpenAPI document, from which the client's types are generated."""

import json
import sys

from rootward.testing.fakes import fake_platform
from rootward_dashboard.app import create_app

json.dump(create_app(fake_platform()).openapi(), sys.stdout)
