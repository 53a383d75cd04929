from alembic import context
from sqlalchemy import create_engine

# Where, as whom and with which certificate comes from the variables of libpq.
with create_engine("postgresql+psycopg://").connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
