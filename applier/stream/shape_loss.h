/*
 * shape_loss.h
 *		Would a table take the rows of another one, and change values in silence?
 *
 * Somebody may alter a table of the target.  Most of that the target refuses by
 * itself when a row comes: a column that is gone, a number that is too large.
 * A type of less precision it does not: it rounds.
 */
#ifndef PORTAGE_SHAPE_LOSS_H
#define PORTAGE_SHAPE_LOSS_H

#include "shape.h"

/*
 * The first column of known whose values actual, the table as it is, would
 * round, cut or reinterpret without an error; NULL if there is none.  Columns
 * that it lacks are not looked at.
 */
const ShapeColumn *shape_loss(const Shape *actual, const Shape *known);

#endif /* PORTAGE_SHAPE_LOSS_H */
