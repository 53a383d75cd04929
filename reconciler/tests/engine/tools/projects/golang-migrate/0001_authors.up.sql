CREATE TABLE authors (id serial PRIMARY KEY, name text NOT NULL);
INSERT INTO authors (name) VALUES ('Ada');
