"""Secrets, hosts, cookies."""

from vanta_site.settings.core import ENVIRONMENT
from vanta_site.settings.env import read

SECRET_KEY = read.text("SECRET_KEY", example="a random text of 50 characters")
ALLOWED_HOSTS = list(read.items("ALLOWED_HOSTS", ("localhost", "127.0.0.1"), example="vanta.example.org"))
CSRF_TRUSTED_ORIGINS = list(read.items("CSRF_TRUSTED_ORIGINS", example="https://vanta.example.org"))
FIELD_ENCRYPTION_KEYS = read.items("FIELD_ENCRYPTION_KEYS", example="base64 of 32 random bytes")
ADMIN_TOKEN = read.text("ADMIN_TOKEN", "", example="a random text of 40 characters")

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENVIRONMENT == "production"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
