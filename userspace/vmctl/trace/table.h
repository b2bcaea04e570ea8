/* SPDX-License-Identifier: GPL-2.0-only */
/* What a report is made of: tables that are printed as text, JSON, CSV or HTML. */
#ifndef VMCTL_TRACE_TABLE_H
#define VMCTL_TRACE_TABLE_H

#include <stdio.h>

#include "vec.h"

/**
 * struct column - of a table
 * @id:		for programs
 * @title:	for people
 * @number:	its cells are numbers
 */
struct column {
	const char *id, *title;
	bool number;
};

/**
 * struct table - a table
 * @id: @title:	name for programs, and for people
 * @note:	what one should know, or NULL; kept by the table
 * @column: @nr_columns:	its columns
 * @cells:	char *, row by row; "" for none
 */
struct table {
	const char *id, *title;
	char *note;
	const struct column *column;
	unsigned int nr_columns;
	struct vec cells;
};

/* struct tables - a report: struct table * */
struct tables {
	struct vec list;
};

struct table *table_new(struct tables *tables, const char *id, const char *title,
			const struct column *column, unsigned int nr);
void table_note(struct table *table, const char *fmt, ...) __printf(2, 3);
void table_text(struct table *table, const char *fmt, ...) __printf(2, 3);
void table_u64(struct table *table, u64 value);
void table_fixed(struct table *table, double value, int decimals);
void table_none(struct table *table);
size_t table_rows(const struct table *table);
const char *table_cell(const struct table *table, size_t row, unsigned int column);

void tables_text(const struct tables *tables, FILE *out, size_t top);
void tables_json(const struct tables *tables, FILE *out);
void tables_csv(const struct tables *tables, FILE *out);
void tables_free(struct tables *tables);

#define TABLE_NEW(tables, id, title, columns) \
	table_new(tables, id, title, columns, ARRAY_SIZE(columns))

#endif
