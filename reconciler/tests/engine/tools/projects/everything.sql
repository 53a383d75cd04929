-- Something of each kind that a dump can hold. WHO is replaced by who makes it.
CREATE SCHEMA of_WHO;
CREATE TYPE WHO_state AS ENUM ('lent', 'here');
CREATE DOMAIN WHO_title AS text CHECK (VALUE <> '');
CREATE TYPE WHO_pair AS (shelf int, state WHO_state);
CREATE SEQUENCE WHO_marks START 7;
CREATE FUNCTION WHO_upper(WHO_title) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper($1)';
CREATE TABLE WHO_books (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mark bigint DEFAULT nextval('WHO_marks'),
    title WHO_title UNIQUE,
    place WHO_pair
);
COMMENT ON TABLE WHO_books IS 'What WHO has read';
CREATE INDEX WHO_upper_titles ON WHO_books (WHO_upper(title));
CREATE STATISTICS WHO_correlation (dependencies) ON mark, title FROM WHO_books;
CREATE TABLE of_WHO.lines (id serial, book bigint REFERENCES WHO_books, line int NOT NULL) PARTITION BY RANGE (line);
CREATE TABLE of_WHO.first_lines PARTITION OF of_WHO.lines FOR VALUES FROM (1) TO (100);
INSERT INTO WHO_books (title, place) VALUES ('On restores', ROW(1, 'here')), ('On dumps', ROW(2, 'lent'));
INSERT INTO of_WHO.lines (book, line) SELECT id, 1 FROM WHO_books;
CREATE VIEW WHO_lent AS SELECT id, title FROM WHO_books WHERE (place).state = 'lent';
CREATE MATERIALIZED VIEW of_WHO.counted AS SELECT book, count(*) FROM of_WHO.lines GROUP BY book;
CREATE FUNCTION of_WHO.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.line := NEW.line; RETURN NEW; END';
CREATE TRIGGER note BEFORE UPDATE ON WHO_books FOR EACH ROW EXECUTE FUNCTION of_WHO.note();
CREATE PROCEDURE WHO_forget() LANGUAGE sql AS 'DELETE FROM WHO_books';
CREATE AGGREGATE WHO_sum (int) (SFUNC = int4pl, STYPE = int);
CREATE COLLATION WHO_order FROM "C";
CREATE TABLE WHO_own_rows (reader text);
ALTER TABLE WHO_own_rows ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON WHO_own_rows USING (reader = session_user);
INSERT INTO WHO_own_rows VALUES ('app'), ('report');
SELECT lo_from_bytea(0, 'large, of WHO');
