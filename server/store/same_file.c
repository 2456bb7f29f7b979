/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/same_file.h"

#include <errno.h>
#include <sys/stat.h>

enum herd_error
same_file_note(struct same_file *file, const char *path)
{
	struct stat now;

	if (stat(path, &now) != 0)
		return HERD_ESYSTEM;
	*file = (struct same_file){
		.path = path,
		.device = now.st_dev,
		.inode = now.st_ino,
		.size = now.st_size,
		.modified = now.st_mtim,
	};
	return HERD_OK;
}

const char *
same_file_check(const struct same_file *file, bool writing)
{
	struct stat now;

	if (stat(file->path, &now) != 0)
		return errno == ENOENT || errno == ENOTDIR
			   ? "was removed"
			   : "cannot be looked at";
	if (now.st_nlink == 0)
		return "was removed";
	if (now.st_dev != file->device || now.st_ino != file->inode)
		return "was replaced";
	if (now.st_size < file->size ||
	    (!writing && (now.st_size != file->size ||
			     now.st_mtim.tv_sec != file->modified.tv_sec ||
			     now.st_mtim.tv_nsec != file->modified.tv_nsec)))
		return "was written by another program";
	return NULL;
}
