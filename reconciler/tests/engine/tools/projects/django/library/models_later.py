# What the other user makes of models.py.
from django.db import models


class Author(models.Model):
    name = models.TextField(unique=True)
    born = models.DateField(null=True)


class Book(models.Model):
    title = models.CharField(max_length=100, db_index=True)
    authors = models.ManyToManyField(Author)
