--
-- The extension, as the other tests use it
--
CREATE EXTENSION pg_portage;
SELECT portage.version() = extversion AS same_version
FROM pg_extension WHERE extname = 'pg_portage';

-- every object has a comment
SELECT pg_describe_object(classid, objid, objsubid)
FROM pg_depend
WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
	AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'pg_portage')
	AND classid IN ('pg_proc'::regclass, 'pg_class'::regclass, 'pg_event_trigger'::regclass)
	AND objid NOT IN (SELECT indexrelid FROM pg_index)
	AND obj_description(objid, classid::regclass::name) IS NULL;

-- no function without a pinned search_path, none for PUBLIC; capture() pins it
-- itself
SELECT oid::regprocedure, proconfig, proacl IS NOT NULL
	AND NOT has_function_privilege('public', oid, 'EXECUTE') AS closed
FROM pg_proc WHERE pronamespace = 'portage'::regnamespace
ORDER BY oid::regprocedure::text;

-- a key of its own, for nobody else, whatever the default privileges
SELECT count(*), max(octet_length(key)), count(DISTINCT key) FROM portage.ddl_key;
INSERT INTO portage.ddl_key SELECT sha256('another');
SELECT relacl, extconfig FROM pg_class, pg_extension
WHERE pg_class.oid = 'portage.ddl_key'::regclass AND extname = 'pg_portage';
SELECT evtname, evtevent, evtenabled FROM pg_event_trigger ORDER BY evtname;

-- the other tests are about rows; capture.sql has its own
ALTER EVENT TRIGGER _portage_ddl_end DISABLE;
ALTER EVENT TRIGGER _portage_ddl_drop DISABLE;
ALTER EVENT TRIGGER _portage_ddl_rewrite DISABLE;

-- it stays where it is
ALTER EXTENSION pg_portage SET SCHEMA public;
