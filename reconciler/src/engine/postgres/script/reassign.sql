-- Extensions have no owner to change. REASSIGN OWNED takes them along, and with them all else of the user, its databases too: these are
-- given back in the same transaction. Owner roles own none, so they are exactly the user's.
DO $do$
DECLARE
  place pg_catalog.name;
  places pg_catalog.name[] := ARRAY(
    SELECT d.datname FROM pg_catalog.pg_database d JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) d.datdba
    WHERE r.rolname OPERATOR(pg_catalog.=) :'user');
BEGIN
  REASSIGN OWNED BY :"user" TO :"owner";
  FOREACH place IN ARRAY places LOOP
    EXECUTE pg_catalog.format('ALTER DATABASE %I OWNER TO :"user"', place);
  END LOOP;
END
$do$
