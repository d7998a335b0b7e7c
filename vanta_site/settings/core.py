"""Django's own settings: apps, middleware, templates, static files, time."""

from vanta_site.settings.env import ROOT, read

ENVIRONMENT = read.choice("ENVIRONMENT", ("development", "production"), "development")
DEBUG = False
DEPLOY_ENV = read.text("DEPLOY_ENV", ENVIRONMENT)
DEPLOY_VERSION = read.text("DEPLOY_VERSION", "0.1.0")
METRICS_ENABLED = read.flag("METRICS_ENABLED", True)

INSTALLED_APPS = [
    "vanta_site.apps.VantaAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_prometheus",
    "pgtrigger",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "trading",
    "risk",
    "execution",
    "bots",
    "vanta_site",
]
MIDDLEWARE = [
    "vanta_site.short_path.ShortPath",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "vanta_site.problems.ProblemMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]
ROOT_URLCONF = "vanta_site.urls"
WSGI_APPLICATION = "vanta_site.wsgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # Ours first: the console's frame replaces the admin's own.
        "DIRS": [ROOT / "vanta_site" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
STATIC_URL = "static/"
STATIC_ROOT = ROOT / ".run" / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-us"
USE_I18N = False
# Instants to the second, in one form for everybody. Formats named here would lose against the language's own.
FORMAT_MODULE_PATH = "vanta_site.formats"
TIME_ZONE = "UTC"
USE_TZ = True
# A body is refused at the door long before Django buffers it (`trading.api.webhook`).
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
