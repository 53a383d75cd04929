-- Gives what users own in this database to a role, object by object, each in a transaction of its own: a busy one is left for the next
-- look and stops no other. No name leaves the server. Schemas go first, because the new owner needs CREATE there. What an extension
-- brought along, and what has no owner to change, stays. An object is named only when its turn comes: up to 13 the server fails at the
-- name of one that is gone by then, or that is of another database.
DO $do$
DECLARE
  began pg_catalog.timestamptz := pg_catalog.clock_timestamp();
  patience pg_catalog.text := pg_catalog.current_setting('lock_timeout');
  care pg_catalog.text := pg_catalog.current_setting('synchronous_commit');
  thing record;
  named record;
BEGIN
  PERFORM pg_catalog.set_config('lock_timeout', '200ms', false), pg_catalog.set_config('synchronous_commit', 'off', false);
  FOR thing IN
    SELECT s.classid, s.objid
    FROM pg_catalog.pg_shdepend s
    JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) s.refobjid
    JOIN pg_catalog.pg_database d ON d.oid OPERATOR(pg_catalog.=) s.dbid
    LEFT JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) s.objid
      AND s.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
    WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
      AND s.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_authid'::pg_catalog.regclass
      AND s.deptype OPERATOR(pg_catalog.=) 'o'
      AND r.rolname OPERATOR(pg_catalog.=) ANY (:users)
      AND s.classid OPERATOR(pg_catalog.<>) ALL (ARRAY[
        'pg_catalog.pg_default_acl'::pg_catalog.regclass::pg_catalog.oid, 'pg_catalog.pg_user_mapping'::pg_catalog.regclass,
        'pg_catalog.pg_foreign_server'::pg_catalog.regclass, 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass,
        'pg_catalog.pg_event_trigger'::pg_catalog.regclass, 'pg_catalog.pg_extension'::pg_catalog.regclass])
      AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend e
        WHERE e.classid OPERATOR(pg_catalog.=) s.classid AND e.objid OPERATOR(pg_catalog.=) s.objid
          AND e.deptype OPERATOR(pg_catalog.=) 'e')
    ORDER BY CASE WHEN s.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass THEN 0
      WHEN c.relkind OPERATOR(pg_catalog.=) 'S'::pg_catalog."char" THEN 2 ELSE 1 END
    LIMIT 20000
  LOOP
    EXIT WHEN pg_catalog.clock_timestamp() OPERATOR(pg_catalog.>)
      (began OPERATOR(pg_catalog.+) '10 seconds'::pg_catalog.interval);
    BEGIN
      SELECT CASE
               WHEN i.type OPERATOR(pg_catalog.=) ANY (ARRAY['function', 'procedure', 'aggregate']) THEN 'ROUTINE'
               WHEN i.type OPERATOR(pg_catalog.=) 'composite type' THEN 'TYPE'
               WHEN i.type OPERATOR(pg_catalog.=) 'statistics object' THEN 'STATISTICS'
               ELSE pg_catalog.upper(i.type)
             END AS kind, i.identity
        INTO named
        FROM pg_catalog.pg_identify_object(thing.classid, thing.objid, 0) i;
      EXECUTE pg_catalog.format('ALTER %s %s OWNER TO :"owner"', named.kind, named.identity);
    EXCEPTION WHEN OTHERS THEN
      NULL;
    END;
    COMMIT;
  END LOOP;
  PERFORM pg_catalog.set_config('lock_timeout', patience, false), pg_catalog.set_config('synchronous_commit', care, false);
END
$do$
