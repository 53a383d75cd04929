BEGIN;
ALTER TABLE authors ADD CONSTRAINT authors_name UNIQUE (name);
CREATE SCHEMA lending;
CREATE TYPE lending.state AS ENUM ('lent', 'here');
CREATE TABLE lending.books (id bigint GENERATED ALWAYS AS IDENTITY, author int REFERENCES authors, state lending.state NOT NULL);
INSERT INTO lending.books (author, state) SELECT id, 'here' FROM authors;
COMMIT;
