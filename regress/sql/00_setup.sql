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
	AND classid IN ('pg_proc'::regclass, 'pg_class'::regclass)
	AND obj_description(objid, classid::regclass::name) IS NULL;

-- no function without a pinned search_path, none for PUBLIC
SELECT oid::regprocedure, proconfig, proacl IS NOT NULL
	AND NOT has_function_privilege('public', oid, 'EXECUTE') AS closed
FROM pg_proc WHERE pronamespace = 'portage'::regnamespace
ORDER BY oid::regprocedure::text;

-- it stays where it is
ALTER EXTENSION pg_portage SET SCHEMA public;
