-- The inside of a database: the schema `public` is its users'. Up to 14 it may belong to somebody whose rights the master does not have:
-- then it stays as it is, and being closed to strangers rests on CONNECT. One that is missing is nobody's fault. The rights on the
-- database come last: they tell from outside that all of this was done.
DO $do$
DECLARE
  holder pg_catalog.oid := (SELECT nspowner FROM pg_catalog.pg_namespace WHERE nspname OPERATOR(pg_catalog.=) 'public');
BEGIN
  IF holder IS NOT NULL AND pg_catalog.pg_has_role(CURRENT_USER, holder, 'USAGE') THEN
    IF pg_catalog.pg_get_userbyid(holder) OPERATOR(pg_catalog.<>) :'owner' THEN
      ALTER SCHEMA public OWNER TO :"owner";
    END IF;
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
  END IF;
  GRANT CREATE, TEMPORARY ON DATABASE :"database" TO :"owner";
END
$do$
