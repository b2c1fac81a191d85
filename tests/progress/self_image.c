/* SPDX-License-Identifier: MIT */
/*
 * self_image.c - the section headers of /proc/self/exe.
 *
 * The file stays mapped: names are used where they lie.
 */
#include "progress/self_image.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

/* Set by the linker: the first and the last of the program's code. */
extern const char __executable_start[];
extern const char etext[];

static struct {
	const unsigned char *file;
	size_t bytes;
	uintptr_t bias; /* from the file's addresses to those of memory */
	const Elf64_Sym *symbols;
	size_t symbol_count;
	const char *names;
	const struct section *sections;
	size_t section_count;
} image;

static const Elf64_Ehdr *header(void)
{
	return (const Elf64_Ehdr *)(const void *)image.file;
}

static const Elf64_Shdr *section_at(size_t index)
{
	const Elf64_Shdr *all = (const void *)(image.file + header()->e_shoff);

	return &all[index];
}

static int bias_find(struct dl_phdr_info *info, size_t size, void *bias)
{
	(void)size;
	*(uintptr_t *)bias = info->dlpi_addr;
	return 1; /* the program comes first */
}

static void symbols_find(const Elf64_Shdr *table)
{
	const Elf64_Shdr *names = section_at(table->sh_link);

	image.symbols = (const void *)(image.file + table->sh_offset);
	image.symbol_count = table->sh_size / sizeof(Elf64_Sym);
	image.names = (const char *)(image.file + names->sh_offset);
}

static void sections_read(void)
{
	const Elf64_Shdr *titles = section_at(header()->e_shstrndx);

	for (size_t i = 0; i < header()->e_shnum; i++) {
		const Elf64_Shdr *each = section_at(i);
		const char *title = (const char *)image.file +
				    titles->sh_offset + each->sh_name;

		if (each->sh_type == SHT_SYMTAB)
			symbols_find(each);
		if (strcmp(title, "__rseq_cs") != 0)
			continue;
		image.sections = (const void *)(image.bias + each->sh_addr);
		image.section_count = each->sh_size / sizeof(struct section);
	}
}

int self_image_init(void)
{
	const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct stat stat;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &stat) != 0) {
		close(fd);
		return -EIO;
	}
	image.bytes = (size_t)stat.st_size;
	image.file = mmap(NULL, image.bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (image.file == MAP_FAILED)
		return -ENOMEM;
	dl_iterate_phdr(bias_find, &image.bias);
	sections_read();
	return image.symbols != NULL ? 0 : -ENOEXEC;
}

void self_image_fini(void)
{
	require(munmap((void *)image.file, image.bytes) == 0);
	memset(&image, 0, sizeof(image));
}

bool self_image_has(uintptr_t address)
{
	return address - (uintptr_t)__executable_start <
	       (uintptr_t)etext - (uintptr_t)__executable_start;
}

struct place self_image_place(uintptr_t address)
{
	const uintptr_t wanted = address - image.bias;
	struct place place = { 0 };
	const char *file = NULL;

	/* Static functions stand behind the name of their file. */
	for (size_t i = 0; i < image.symbol_count; i++) {
		const Elf64_Sym *symbol = &image.symbols[i];
		const char *name = image.names + symbol->st_name;

		if (ELF64_ST_TYPE(symbol->st_info) == STT_FILE)
			file = name;
		if (ELF64_ST_TYPE(symbol->st_info) != STT_FUNC ||
		    wanted - symbol->st_value >= symbol->st_size)
			continue;
		place.function = name;
		if (ELF64_ST_BIND(symbol->st_info) == STB_LOCAL)
			place.file = file;
		return place;
	}
	return place;
}

size_t self_image_sections(const struct section **sections)
{
	*sections = image.sections;
	return image.section_count;
}
