/*
 * target_mysql_check_grants.c
 *		Preflight: what may the user do?
 */
#include <string.h>
#include <strings.h>

#include "mysql/grants.h"
#include "mysql/target_mysql_check.h"

/* Roles count when they are active, which MySQL says by name only. */
static bool
read_grants(MyCheck *check, Error *err)
{
	MyResult role;
	Buffer sql;
	bool ok;

	buffer_init(&sql);
	buffer_puts(&sql, "SHOW GRANTS");
	if (!check->conn->server.mariadb)
	{
		if (!my_query(check->conn, err, "SELECT CURRENT_ROLE()", &role))
		{
			buffer_release(&sql);
			return false;
		}
		if (my_next(&role) && strcasecmp(my_value(&role, 0), "NONE") != 0)
			buffer_printf(&sql, " FOR CURRENT_USER() USING %s",
						  my_value(&role, 0));
		my_result_free(&role);
	}
	ok = my_query(check->conn, err, sql.data, &check->grants);
	buffer_release(&sql);
	check->sees_grants = ok;
	return ok;
}

static Grants
grants_in(MyCheck *check, const char *database)
{
	Grants grants = 0;

	mysql_data_seek(check->grants.res, 0);
	while (my_next(&check->grants))
		grants_add(my_value(&check->grants, 0), database, &grants);
	return grants;
}

/* "SELECT, INSERT": of those that are missing; *serious if run needs one. */
static const char *
missing_names(MyCheck *check, Grants have, bool *serious)
{
	const char *names = "";

	*serious = false;
	for (int i = 0; grant_names[i] != NULL; i++)
	{
		if ((have & ((Grants) 1 << i)) != 0)
			continue;
		/* only to look at tables that are there already */
		*serious = *serious ||
				   (strcmp(grant_names[i], "TRIGGER") != 0 &&
					strcmp(grant_names[i], "CREATE TEMPORARY TABLES") != 0);
		names = arena_printf(check->findings->arena, "%s%s%s", names,
							 names[0] != '\0' ? ", " : "", grant_names[i]);
	}
	return names;
}

static void
report_missing(MyCheck *check, const char *database, const char *user)
{
	bool serious;
	const char *names = missing_names(check, grants_in(check, database),
									  &serious);
	Buffer remedy;

	if (names[0] == '\0')
		return;
	buffer_init(&remedy);
	buffer_printf(&remedy, "GRANT %s ON ", names);
	my_quote_ident(&remedy, database);
	buffer_printf(&remedy, ".* TO %s", user);
	if (serious)
		finding_add(check->findings, SEVERITY_ERROR, P_PRIVILEGE, "target",
					remedy.data, "the user %s lacks %s in the database %s",
					user, names, database);
	else
		finding_add(check->findings, SEVERITY_NOTE, 0, "target", remedy.data,
					"the user %s lacks %s in the database %s: tables that are "
					"there already cannot be looked at in every respect",
					user, names, database);
	buffer_release(&remedy);
}

/* Databases are made for schemas: everything is needed wherever that may be. */
static void
report_everywhere(MyCheck *check, const char *user)
{
	bool serious;
	/* a name that no pattern but % has in mind */
	const char *names = missing_names(check, grants_in(check, "\1"), &serious);

	if (serious)
		finding_add(check->findings, SEVERITY_WARNING, P_PRIVILEGE, "target",
					arena_printf(check->findings->arena,
								 "GRANT %s ON *.* TO %s, or on the database of "
								 "each schema",
								 names, user),
					"with --schemas databases, the user %s needs %s in a "
					"database for each schema",
					user, names);
}

bool
my_check_privileges(MyCheck *check, Error *err)
{
	MyResult row;
	const char *user;

	if (!check->sees_grants && !read_grants(check, err))
		return false;
	if (!my_query(check->conn, err,
				  "SELECT concat('\\'', replace(substring_index("
				  "current_user(), '@', 1), '\\'', '\\'\\''), '\\'@\\'',"
				  " substring_index(current_user(), '@', -1), '\\'')",
				  &row))
		return false;
	user = my_next(&row)
			   ? arena_strdup(check->findings->arena, my_value(&row, 0))
			   : "";
	my_result_free(&row);
	report_missing(check, check->conn->database, user);
	if (check->self->base.config->schemas_as_databases)
		report_everywhere(check, user);
	return true;
}

bool
my_check_is_administrator(MyCheck *check)
{
	bool may = false;

	if (!check->sees_grants)
		return false;
	mysql_data_seek(check->grants.res, 0);
	while (my_next(&check->grants))
	{
		const char *line = my_value(&check->grants, 0);

		may = may || grants_global(line, "SUPER") ||
			  grants_global(line, "READ_ONLY ADMIN") ||
			  grants_global(line, "READ ONLY ADMIN") ||
			  grants_global(line, "CONNECTION_ADMIN");
	}
	return may;
}
