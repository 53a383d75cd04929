SELECT coalesce(pg_catalog.json_agg(few.name), '[]')::pg_catalog.text
FROM (
  SELECT pg_catalog.format('%I.%I', c.nspname, c.relname) AS name
  FROM (
    -- Their size is asked for of these alone, and of none that somebody rewrites: it would wait.
    SELECT c.oid, n.nspname, c.relname, c.relkind
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
    WHERE n.nspname OPERATOR(pg_catalog.<>) 'information_schema' AND n.nspname::pg_catalog.text OPERATOR(pg_catalog.!~) '^pg_'
      AND c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'm', 'p']::pg_catalog."char"[])
      AND pg_catalog.pg_has_role(CURRENT_USER, c.relowner, 'USAGE')
      AND pg_catalog.pg_stat_get_last_analyze_time(c.oid) IS NULL AND pg_catalog.pg_stat_get_last_autoanalyze_time(c.oid) IS NULL
      AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_stats s
        WHERE s.schemaname OPERATOR(pg_catalog.=) n.nspname AND s.tablename OPERATOR(pg_catalog.=) c.relname)
      AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_locks l
        WHERE l.relation OPERATOR(pg_catalog.=) c.oid AND l.mode OPERATOR(pg_catalog.=) 'AccessExclusiveLock')
    OFFSET 0
  ) c
  CROSS JOIN LATERAL (SELECT pg_catalog.pg_relation_size(c.oid) AS bytes) size
  -- An empty one has a guess of the planner's own that is better than nothing.
  WHERE c.relkind OPERATOR(pg_catalog.=) 'p' OR size.bytes OPERATOR(pg_catalog.>) 0
  ORDER BY size.bytes, name
  LIMIT 1000
) few
