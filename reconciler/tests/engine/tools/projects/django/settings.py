import os

SECRET_KEY = "of no use"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "library"]
# Where, as whom and with which certificate comes from the variables of libpq.
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": os.environ["PGDATABASE"]}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
