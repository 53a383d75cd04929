import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.alter_column("authors", "name", type_=sa.Text())
    op.create_unique_constraint("authors_name", "authors", ["name"])
    op.create_table(
        "books",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("author", sa.Integer, sa.ForeignKey("authors.id"), nullable=False),
        sa.Column("state", sa.Enum("lent", "here", name="state"), nullable=False),
    )
    op.create_index("books_author", "books", ["author"])
    op.execute("INSERT INTO books (author, state) SELECT id, 'here' FROM authors")


def downgrade():
    op.drop_table("books")
    op.execute("DROP TYPE state")
    op.drop_constraint("authors_name", "authors")
    op.alter_column("authors", "name", type_=sa.String(100))
