"""PostgreSQL: the only truth."""

import environ
from django.core.exceptions import ImproperlyConfigured

from vanta_site.settings.env import read

_DATABASE_URL = read.text("DATABASE_URL", example="postgres://vanta_app:password@127.0.0.1:5432/vanta")
_OWNER_URL = read.text("DATABASE_OWNER_URL", "", example="postgres://vanta:password@127.0.0.1:5432/vanta")
# The web keeps a pool; workers and commands don't (a prefork worker with a pool
# reconnects for every task). The web's entry in the Procfile sets it.
_HAS_POOL = read.flag("DB_POOL", False)

# Each guard prevents an outage: a query that never ends, a lock that is never given up,
# a process paused in the middle of a transaction.
_GUARDS = "-c statement_timeout=15000 -c lock_timeout=5000 -c idle_in_transaction_session_timeout=15000"

DATABASES = {
    "default": {
        **environ.Env.db_url_config(_DATABASE_URL),
        "CONN_MAX_AGE": 0 if _HAS_POOL else 600,
        "CONN_HEALTH_CHECKS": True,
        # 0: what goes through psycopg's own cursor (`trading.models.prepared`) is kept at once; Django's never prepares.
        "OPTIONS": {
            "options": _GUARDS,
            "prepare_threshold": 0,
            **({"pool": {"min_size": 1, "max_size": 8, "timeout": 5}} if _HAS_POOL else {}),
        },
    }
}

# The tables' owner, for `manage.py migrate` alone; empty where one login is used for both.
DATABASE_OWNER = environ.Env.db_url_config(_OWNER_URL) if _OWNER_URL else {}

if DATABASE_OWNER and DATABASE_OWNER["NAME"] != DATABASES["default"]["NAME"]:
    raise ImproperlyConfigured("DATABASE_OWNER_URL names another database than DATABASE_URL")
