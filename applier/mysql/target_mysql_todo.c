/* operations that are not there yet */
#include "mysql/target_mysql.h"

bool
target_mysql_apply(Target *target, const Batch *batch,
				   const ChangeFilter *filter, const Progress *before,
				   const Progress *after, Error *err)
{
	(void) target;
	(void) batch;
	(void) filter;
	(void) before;
	(void) after;
	return error_set(err, P_BUG, "apply is not there yet");
}

void
target_mysql_rollback(Target *target)
{
	(void) target;
}
