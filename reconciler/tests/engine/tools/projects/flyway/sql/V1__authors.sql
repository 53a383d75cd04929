CREATE TABLE authors (id serial PRIMARY KEY, name text NOT NULL);
INSERT INTO authors (name) VALUES ('Ada');
CREATE FUNCTION how_many() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM authors';
