from django.test import TestCase, TransactionTestCase

from .models import Author, Book


class InATransaction(TestCase):
    def test_books_have_authors(self):
        book = Book.objects.create(title="On restores")
        book.authors.add(Author.objects.create(name="Ada"))
        self.assertEqual(Author.objects.get().book_set.get(), book)


class WithTruncate(TransactionTestCase):
    def test_an_author(self):
        Author.objects.create(name="Ada")
        self.assertEqual(Author.objects.count(), 1)
