"""The settings of every running process, gathered."""

from vanta_site.settings.bots import *
from vanta_site.settings.celery import *
from vanta_site.settings.core import *
from vanta_site.settings.database import *
from vanta_site.settings.execution import *
from vanta_site.settings.logging import *
from vanta_site.settings.rest import *
from vanta_site.settings.risk import *
from vanta_site.settings.security import *
from vanta_site.settings.trading import *
