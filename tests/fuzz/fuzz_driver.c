/* SPDX-License-Identifier: MIT */
/*
 * fuzz_driver.c - runs a fuzz target over the files of folders, once each.
 *
 * For compilers without libFuzzer, and for the ordinary run of the tests.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_BYTES_MAX ((size_t)1 << 20)

static int run_file(const char *path, uint8_t *buffer)
{
	FILE *file = fopen(path, "rb");

	if (!file) {
		perror(path);
		return 1;
	}
	const size_t size = fread(buffer, 1, INPUT_BYTES_MAX, file);

	(void)fclose(file);
	return LLVMFuzzerTestOneInput(buffer, size);
}

/* run_folder - how many files were run, or -1. */
static int run_folder(const char *folder, uint8_t *buffer)
{
	DIR *stream = opendir(folder);
	const struct dirent *entry = NULL;
	int runs = 0;

	if (!stream) {
		perror(folder);
		return -1;
	}
	while ((entry = readdir(stream))) {
		char path[4096];

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder,
			       entry->d_name);
		if (run_file(path, buffer)) {
			(void)closedir(stream);
			return -1;
		}
		runs++;
	}
	(void)closedir(stream);
	return runs;
}

int main(int count, char **folders)
{
	uint8_t *buffer = malloc(INPUT_BYTES_MAX);
	int runs = 0;

	for (int i = 1; buffer && i < count; i++) {
		const int more = run_folder(folders[i], buffer);

		if (more < 0) {
			free(buffer);
			return EXIT_FAILURE;
		}
		runs += more;
	}
	free(buffer);
	printf("%d inputs\n", runs);
	return runs ? EXIT_SUCCESS : EXIT_FAILURE;
}
