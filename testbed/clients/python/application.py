"""Asks the database of a mounted Secret who is there. PGSSLROOTCERT names the authorities; libpq reads it by itself."""

import logging
import os
import pathlib

import psycopg

logging.basicConfig(level=logging.DEBUG)
binding = pathlib.Path(os.environ["SERVICE_BINDING_ROOT"], "orders")
with psycopg.connect((binding / "uri").read_text()) as connection:
    print(connection.execute(os.environ["QUESTION"]).fetchone()[0])
