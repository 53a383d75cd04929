-- From 15 on a member of a database's owner may act as pg_database_owner and make things that belong to it. With the database they would
-- pass to the keeper: they are given to the owner role, wherever an owner is recorded.
DO $do$
DECLARE
  thing record;
BEGIN
  FOR thing IN
    SELECT CASE
             WHEN i.type OPERATOR(pg_catalog.=) ANY (ARRAY['function', 'procedure', 'aggregate']) THEN 'ROUTINE'
             WHEN i.type OPERATOR(pg_catalog.=) 'composite type' THEN 'TYPE'
             WHEN i.type OPERATOR(pg_catalog.=) 'statistics object' THEN 'STATISTICS'
             ELSE pg_catalog.upper(i.type)
           END AS kind, i.identity
    FROM (
      SELECT 'pg_catalog.pg_namespace'::pg_catalog.regclass AS class, oid, nspowner AS owner, 0 AS rank FROM pg_catalog.pg_namespace
        WHERE nspname OPERATOR(pg_catalog.<>) 'public'
      UNION ALL SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, oid, relowner, 1 FROM pg_catalog.pg_class
        WHERE relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p', 'v', 'm', 'f']::pg_catalog."char"[])
      UNION ALL SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, oid, relowner, 2 FROM pg_catalog.pg_class
        WHERE relkind OPERATOR(pg_catalog.=) 'S'::pg_catalog."char"
      UNION ALL SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, oid, proowner, 2 FROM pg_catalog.pg_proc
      UNION ALL SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, oid, typowner, 2 FROM pg_catalog.pg_type
      UNION ALL SELECT 'pg_catalog.pg_operator'::pg_catalog.regclass, oid, oprowner, 2 FROM pg_catalog.pg_operator
      UNION ALL SELECT 'pg_catalog.pg_collation'::pg_catalog.regclass, oid, collowner, 2 FROM pg_catalog.pg_collation
      UNION ALL SELECT 'pg_catalog.pg_conversion'::pg_catalog.regclass, oid, conowner, 2 FROM pg_catalog.pg_conversion
      UNION ALL SELECT 'pg_catalog.pg_ts_dict'::pg_catalog.regclass, oid, dictowner, 2 FROM pg_catalog.pg_ts_dict
      UNION ALL SELECT 'pg_catalog.pg_ts_config'::pg_catalog.regclass, oid, cfgowner, 2 FROM pg_catalog.pg_ts_config
      UNION ALL SELECT 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass, oid, stxowner, 2 FROM pg_catalog.pg_statistic_ext
      UNION ALL SELECT 'pg_catalog.pg_publication'::pg_catalog.regclass, oid, pubowner, 2 FROM pg_catalog.pg_publication
      UNION ALL SELECT 'pg_catalog.pg_largeobject'::pg_catalog.regclass, oid, lomowner, 2 FROM pg_catalog.pg_largeobject_metadata
    ) o
    CROSS JOIN LATERAL pg_catalog.pg_identify_object(o.class, o.oid, 0) i
    WHERE pg_catalog.pg_get_userbyid(o.owner) OPERATOR(pg_catalog.=) 'pg_database_owner'
    ORDER BY o.rank
    LIMIT 20000
  LOOP
    BEGIN
      EXECUTE pg_catalog.format('ALTER %s %s OWNER TO :"owner"', thing.kind, thing.identity);
    EXCEPTION WHEN OTHERS THEN
      NULL;
    END;
    COMMIT;
  END LOOP;
END
$do$
