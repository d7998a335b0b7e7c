"""The composition root: the only package that knows every other."""

from vanta_site.celery import app as celery_app

__all__ = ["celery_app"]
