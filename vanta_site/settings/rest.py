"""Django REST framework, and the document that describes it."""

from vanta_site.settings.core import DEPLOY_VERSION
from vanta_site.settings.env import read

# Of one token, in each web process. What gets somebody out (stops, closes, pauses) is never counted.
API_CALLS_PER_MINUTE = read.whole("API_CALLS_PER_MINUTE", 600)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "trading.api.authentication.TokenAuthentication",
        "trading.api.authentication.LoginAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["trading.api.authentication.IsSomebody"],
    "DEFAULT_PARSER_CLASSES": ["trading.api.parsing.StrictJsonParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "vanta_site.api.schema.ResourceSchema",
    # OPTIONS describes nothing: the schema does.
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "vanta_site.problems.answer",
    "COERCE_DECIMAL_TO_STRING": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Vanta",
    "DESCRIPTION": "Signals in, positions out, every check shown.",
    "VERSION": DEPLOY_VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    # What anybody can read in the source is nobody's secret.
    "SERVE_AUTHENTICATION": [],
    "SCHEMA_PATH_PREFIX": "/api/",
    # Enumerations stay where they are used: the same words mean different things in different tables.
    "POSTPROCESSING_HOOKS": [],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    # Served by ourselves: the page works without the internet, and nobody outside learns who opened it.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}
