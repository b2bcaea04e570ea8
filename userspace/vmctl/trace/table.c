// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../json.h"
#include "table.h"

/**
 * table_new - begin a table
 * @tables:	the report
 * @id: @title:	names, which stay
 * @column: @nr:	columns, which stay
 *
 * Return: the table; cells are added row by row.
 */
struct table *table_new(struct tables *tables, const char *id, const char *title,
			const struct column *column, unsigned int nr)
{
	struct table *table = vec_add(&tables->list, sizeof(*table));

	table->id = id;
	table->title = title;
	table->column = column;
	table->nr_columns = nr;
	return table;
}

static char *table_format(const char *fmt, va_list args)
{
	char *text = NULL;

	return vasprintf(&text, fmt, args) < 0 ? NULL : text;
}

/**
 * table_note - add to what one should know of the table
 * @table:	the table
 * @fmt:	printf format of a sentence
 */
void table_note(struct table *table, const char *fmt, ...)
{
	char *old = table->note, *new;
	va_list args;

	va_start(args, fmt);
	new = table_format(fmt, args);
	va_end(args);
	if (!old)
		table->note = new;
	else if (asprintf(&table->note, "%s %s", old, new) < 0)
		table->note = NULL;
	if (old) {
		free(old);
		free(new);
	}
}

/**
 * table_text - add a cell
 * @table:	the table
 * @fmt:	printf format
 */
void table_text(struct table *table, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	*(char **)vec_add(&table->cells, sizeof(char *)) = table_format(fmt, args);
	va_end(args);
}

/**
 * table_u64 - add a whole number
 * @table:	the table
 * @value:	number
 */
void table_u64(struct table *table, u64 value)
{
	table_text(table, "%llu", value);
}

/**
 * table_fixed - add a number with decimals
 * @table:	the table
 * @value:	number
 * @decimals:	digits after the point
 */
void table_fixed(struct table *table, double value, int decimals)
{
	table_text(table, "%.*f", decimals, value);
}

/**
 * table_none - add a cell that says nothing
 * @table:	the table
 */
void table_none(struct table *table)
{
	table_text(table, "%s", "");
}

/**
 * table_rows - how many rows there are
 * @table:	the table
 *
 * Return: rows.
 */
size_t table_rows(const struct table *table)
{
	return table->cells.nr / table->nr_columns;
}

/**
 * table_cell - a cell
 * @table:	the table
 * @row: @column:	which
 *
 * Return: its text.
 */
const char *table_cell(const struct table *table, size_t row, unsigned int column)
{
	const char *text = ((char **)table->cells.at)[row * table->nr_columns + column];

	return text ? text : "";
}

/* ---- text ------------------------------------------------------------------- */

static size_t table_width(const struct table *table, unsigned int column, size_t rows)
{
	size_t row, width = strlen(table->column[column].title);

	for (row = 0; row < rows; row++)
		width = max_u64(width, strlen(table_cell(table, row, column)));
	return width;
}

static void table_text_row(const struct table *table, FILE *out, const size_t *width,
			   const char *const *cell)
{
	unsigned int c;

	for (c = 0; c < table->nr_columns; c++) {
		bool last = c == table->nr_columns - 1;
		int pad = table->column[c].number ? (int)width[c] : last ? 0 : -(int)width[c];

		fprintf(out, "%s%*s", c ? "  " : "", pad, cell[c]);
	}
	fputc('\n', out);
}

static void table_text_rows(const struct table *table, FILE *out, size_t rows)
{
	const char *cell[table->nr_columns];
	size_t row, width[table->nr_columns];
	unsigned int c;

	for (c = 0; c < table->nr_columns; c++) {
		width[c] = table_width(table, c, rows);
		cell[c] = table->column[c].title;
	}
	table_text_row(table, out, width, cell);
	for (row = 0; row < rows; row++) {
		for (c = 0; c < table->nr_columns; c++)
			cell[c] = table_cell(table, row, c);
		table_text_row(table, out, width, cell);
	}
}

/* a sentence or more, in lines that fit a terminal */
static void table_text_note(const char *note, FILE *out)
{
	int column = 0, len;

	for (; *note; note += len, note += strspn(note, " ")) {
		len = strcspn(note, " ");
		if (column && column + 1 + len > 88) {
			fputc('\n', out);
			column = 0;
		}
		column += fprintf(out, "%s%.*s", column ? " " : "", len, note);
	}
	fputc('\n', out);
}

/**
 * tables_text - print a report for people
 * @tables:	the report
 * @out:	where to
 * @top:	rows of a table at most; what is left out is said
 */
void tables_text(const struct tables *tables, FILE *out, size_t top)
{
	vec_each(struct table, t, &tables->list) {
		size_t rows = table_rows(t);

		if (!rows && !t->note)
			continue;
		fprintf(out, "%s== %s\n", t == tables->list.at ? "" : "\n", t->title);
		if (t->note)
			table_text_note(t->note, out);
		if (rows)
			table_text_rows(t, out, min_u64(rows, top));
		if (rows > top)
			fprintf(out, "... and %zu more rows: --top 0 shows all\n", rows - top);
	}
}

/* ---- for programs ----------------------------------------------------------- */

static void table_json_row(const struct table *table, struct json *json, size_t row)
{
	unsigned int c;

	json_open(json, NULL, '{');
	for (c = 0; c < table->nr_columns; c++) {
		const char *cell = table_cell(table, row, c);

		if (!*cell)
			json_null(json, table->column[c].id);
		else if (table->column[c].number)
			json_number(json, table->column[c].id, cell);
		else
			json_string(json, table->column[c].id, cell);
	}
	json_close(json, '}');
}

/**
 * tables_json - print a report as one JSON object: an array of rows for each table
 * @tables:	the report
 * @out:	where to
 */
void tables_json(const struct tables *tables, FILE *out)
{
	struct json json = { .out = out };
	size_t row;

	json_open(&json, NULL, '{');
	vec_each(struct table, t, &tables->list) {
		json_open(&json, t->id, '[');
		for (row = 0; row < table_rows(t); row++)
			table_json_row(t, &json, row);
		json_close(&json, ']');
	}
	json_close(&json, '}');
	fputc('\n', out);
}

static void csv_cell(FILE *out, const char *text, bool first)
{
	if (!first)
		fputc(',', out);
	if (!strpbrk(text, ",\"\n")) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (; *text; text++)
		fprintf(out, *text == '"' ? "\"\"" : "%c", *text);
	fputc('"', out);
}

/**
 * tables_csv - print a report as CSV
 * @tables:	the report
 * @out:	where to
 *
 * Each line begins with the name of its table; a table's first line names its columns.
 */
void tables_csv(const struct tables *tables, FILE *out)
{
	unsigned int c;
	size_t row;

	vec_each(struct table, t, &tables->list) {
		csv_cell(out, t->id, true);
		for (c = 0; c < t->nr_columns; c++)
			csv_cell(out, t->column[c].id, false);
		fputc('\n', out);
		for (row = 0; row < table_rows(t); row++) {
			csv_cell(out, t->id, true);
			for (c = 0; c < t->nr_columns; c++)
				csv_cell(out, table_cell(t, row, c), false);
			fputc('\n', out);
		}
	}
}

/**
 * tables_free - forget a report
 * @tables:	the report
 */
void tables_free(struct tables *tables)
{
	vec_each(struct table, t, &tables->list) {
		vec_each(char *, cell, &t->cells)
			free(*cell);
		vec_free(&t->cells);
		free(t->note);
	}
	vec_free(&tables->list);
}
