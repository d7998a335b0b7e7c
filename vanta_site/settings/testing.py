"""Settings of the tests: `tests/servers.py` puts the real servers' addresses into the environment first."""

import os
from decimal import Decimal

_STAND_INS = {
    "SECRET_KEY": "only for tests, and long enough to please every check of Django",
    "DATABASE_URL": "postgres://vanta@127.0.0.1:1/vanta",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "BASE_RPC_URL": "http://127.0.0.1:1",
    "WEBHOOK_HMAC_SECRET": "secret-of-the-default-source",
    "ADMIN_TOKEN": "token-of-the-emergency-endpoint",
    "SIGNER_PRIVATE_KEY": "0x" + "11" * 32,
    "EXEC_MODE": "LIVE",
    "LOG_LEVEL": "WARNING",
}
for _name, _value in _STAND_INS.items():
    os.environ.setdefault(_name, _value)

from vanta_site.settings.all import *  # noqa: E402 - the environment must be filled before the settings read it

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Nothing was collected for it to serve.
MIDDLEWARE = [each for each in MIDDLEWARE if not each.startswith("whitenoise")]
DOORBELL = "tests.fakes.doorbell.record"
# A test that isn't about the paper venue's delay doesn't wait for it.
PAPER_DELAY_SECONDS = Decimal(0)
