/* SPDX-License-Identifier: MIT */
#include "cmd/flags.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/say.h"
#include "common/nearest.h"

enum {
	HELP_COLUMN = 30, /* where the help texts begin */
	HELP_NAME_BYTES = 64,
	HINT_BYTES = 96,
};

void flags_init(struct flags *flags, const struct flag *table, int argc,
		char **argv)
{
	*flags = (struct flags){
		.verb = argc > 0 ? argv[0] : "",
		.table = table,
		.argc = argc,
		.argv = argv,
		.at = 1,
	};
}

/* Dashes mean what underscores mean. */
static bool name_matches(const char *name, const char *text, size_t length)
{
	if (strlen(name) != length)
		return false;
	for (size_t i = 0; i < length; i++) {
		const char given = text[i] == '_' ? '-' : text[i];
		const char known = name[i] == '_' ? '-' : name[i];

		if (given != known)
			return false;
	}
	return true;
}

static const struct flag *flag_find(const struct flag *table, const char *text,
				    size_t length)
{
	for (const struct flag *flag = table; flag->name; flag++) {
		if (name_matches(flag->name, text, length))
			return flag;
	}
	return NULL;
}

static void say_unknown(const struct flags *flags, const char *text,
			size_t length)
{
	char word[NEAREST_WORD_BYTES];
	char hint[HINT_BYTES];
	struct nearest nearest;

	snprintf(word, sizeof(word), "%.*s", (int)length, text);
	nearest_begin(&nearest, word);
	for (const struct flag *flag = flags->table; flag->name; flag++)
		nearest_offer(&nearest, flag->name);
	say("%s: there is no flag '%s'%s", flags->verb, word,
	    nearest_hint(&nearest, hint, sizeof(hint)));
}

static const char *dashes_of(const struct flag *flag)
{
	return strlen(flag->name) == 1 ? "-" : "--";
}

/* The value is what follows '=', or the next word. */
static int value_find(struct flags *flags, const struct flag *flag,
		      const char *inside, const char **value)
{
	if (!flag->value) {
		if (inside) {
			say("%s: %s%s takes no value, but got '%s'",
			    flags->verb, dashes_of(flag), flag->name, inside);
			return -EINVAL;
		}
		*value = NULL;
		return 1;
	}
	if (inside) {
		*value = inside;
		return 1;
	}
	if (flags->at >= flags->argc) {
		say("%s: %s%s wants a value: %s", flags->verb, dashes_of(flag),
		    flag->name, flag->value);
		return -EINVAL;
	}
	*value = flags->argv[flags->at++];
	return 1;
}

int flags_next(struct flags *flags, const struct flag **flag,
	       const char **value)
{
	if (flags->at >= flags->argc)
		return 0;

	const char *word = flags->argv[flags->at++];

	if (!flags->plain_only && strcmp(word, "--") == 0) {
		flags->plain_only = true;
		return flags_next(flags, flag, value);
	}

	const bool dashed = word[0] == '-' && word[1] != '\0';
	const char *name = word + strspn(word, "-");
	const char *equals = strchr(name, '=');
	const size_t length = equals ? (size_t)(equals - name) : strlen(name);

	if (flags->plain_only || (!dashed && !equals)) {
		*flag = NULL;
		*value = word;
		return 1;
	}

	const struct flag *found = flag_find(flags->table, name, length);

	if (!found) {
		say_unknown(flags, name, length);
		return -EINVAL;
	}
	*flag = found;
	return value_find(flags, found, equals ? equals + 1 : NULL, value);
}

void flags_help(const struct flag *table)
{
	for (const struct flag *flag = table; flag->name; flag++) {
		char name[HELP_NAME_BYTES];

		if (!flag->help)
			continue;
		snprintf(name, sizeof(name), "%s%s%s%s", dashes_of(flag),
			 flag->name, flag->value ? " " : "",
			 flag->value ? flag->value : "");
		printf("  %-*s %s\n", HELP_COLUMN, name, flag->help);
	}
}
