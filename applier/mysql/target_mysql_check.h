/*
 * target_mysql_check.h
 *		Preflight of a MySQL or MariaDB target: what its files share.
 *
 *		target_mysql_check.c		the parts, in order; what the source has
 *		target_mysql_check_server.c	version, settings, loading, durability
 *		target_mysql_check_grants.c	what the user may do
 */
#ifndef PORTAGE_TARGET_MYSQL_CHECK_H
#define PORTAGE_TARGET_MYSQL_CHECK_H

#include "mysql/target_mysql.h"

typedef struct MyCheck
{
	TargetMysql *self;
	MyConn *conn;
	Findings *findings;
	MyResult grants;  /* lines of SHOW GRANTS */
	bool sees_grants; /* they could be read */
} MyCheck;

/* ---- target_mysql_check_server.c; false: it cannot look, err says why */

bool my_check_server(MyCheck *check, Error *err) MUST_CHECK;
bool my_check_variables(MyCheck *check, Error *err) MUST_CHECK;
bool my_check_names(MyCheck *check, Error *err) MUST_CHECK;
bool my_check_loading(MyCheck *check, Error *err) MUST_CHECK;
bool my_check_durability(MyCheck *check, Error *err) MUST_CHECK;

/* ---- target_mysql_check_grants.c */

bool my_check_privileges(MyCheck *check, Error *err) MUST_CHECK;
/* Does the user have one of the privileges that make it an administrator? */
bool my_check_is_administrator(MyCheck *check);

#endif /* PORTAGE_TARGET_MYSQL_CHECK_H */
