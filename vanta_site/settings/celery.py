"""Celery and Redis: the doorbell. Both may vanish at any moment; nothing but time is lost.

Namespace CELERY_, so `CELERY_TASK_ACKS_LATE` is Celery's `task_acks_late`.
"""

from kombu import Queue

from vanta_site.pipeline import BEAT, TASK_QUEUES
from vanta_site.settings.env import read

REDIS_URL = read.text("REDIS_URL", example="redis://:password@127.0.0.1:6379/0")
# A paused Redis must cost a request less than 300 ms.
REDIS_TIMEOUT_SECONDS = 0.2

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Ten times the hard limit: a message comes back only from a worker that is surely gone.
    "visibility_timeout": 600,
    "socket_connect_timeout": 1,
    # One second more than a worker's blocking read of its queues, which lasts one.
    "socket_timeout": 2,
    "retry_on_timeout": False,
    # How often messages of the dead are looked for: each second, instead of each hundred.
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
    "queue_order_strategy": "priority",
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_BACKEND = None
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
# Both: a message is given back when its worker dies, whether the child or the whole of it.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_TIME_LIMIT = 60
CELERY_TASK_SOFT_TIME_LIMIT = 50
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_TASK_DEFAULT_QUEUE = "risk"
CELERY_TASK_QUEUES = [Queue(name) for name in dict.fromkeys(TASK_QUEUES.values())]
CELERY_TASK_ROUTES = {pattern: {"queue": queue} for pattern, queue in TASK_QUEUES.items()}
CELERY_BEAT_SCHEDULE = BEAT
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 20_000
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = True
CELERY_TIMEZONE = "UTC"
# Without it the Django fixup reconnects to PostgreSQL for every task; connections
# that broke are dropped by `close_old_connections` and the health checks.
CELERY_DB_REUSE_MAX = 1_000_000
