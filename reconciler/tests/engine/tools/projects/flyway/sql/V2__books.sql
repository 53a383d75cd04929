ALTER TABLE authors ADD CONSTRAINT authors_name UNIQUE (name);
CREATE TYPE state AS ENUM ('lent', 'here');
CREATE DOMAIN title AS text CHECK (VALUE <> '');
CREATE SEQUENCE shelf_marks;
CREATE TABLE books (
    id bigint GENERATED ALWAYS AS IDENTITY,
    mark bigint DEFAULT nextval('shelf_marks'),
    author int REFERENCES authors,
    title title,
    state state NOT NULL
);
INSERT INTO books (author, title, state) SELECT id, 'On restores', 'here' FROM authors;
CREATE VIEW at_hand AS SELECT * FROM books WHERE state = 'here';
CREATE MATERIALIZED VIEW counted AS SELECT author, count(*) FROM books GROUP BY author;
CREATE OR REPLACE FUNCTION how_many() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM books';
