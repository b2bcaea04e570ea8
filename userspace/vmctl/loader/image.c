// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files to load from: read in place, never past their end.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../msg.h"
#include "loader.h"

static int image_stat(struct image *image)
{
	struct stat st;

	if (fstat(image->fd, &st))
		return fail("%s %s: %s", image->what, image->path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fail("%s %s: not a regular file: give the file itself",
			    image->what, image->path);
	if (!st.st_size)
		return fail("%s %s: the file is empty: copy it again", image->what,
			    image->path);
	image->size = st.st_size;
	return 0;
}

/**
 * image_open - open a file to load from
 * @image:	out; image_close() it, also after an error
 * @what:	what it is to the user
 * @path:	where it is
 *
 * Return: 0, or -1 with a message.
 */
int image_open(struct image *image, const char *what, const char *path)
{
	memset(image, 0, sizeof(*image));
	image->what = what;
	image->path = path;
	image->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (image->fd < 0)
		return fail("%s %s: %s: check the path given with --%s", what, path,
			    strerror(errno), what);
	if (image_stat(image))
		return -1;
	return image_read(image, 0, image->head, min_u64(image->size, IMAGE_HEAD));
}

/**
 * image_close - close the file
 * @image:	from image_open()
 */
void image_close(struct image *image)
{
	if (image->fd >= 0)
		close(image->fd);
	image->fd = -1;
}

/**
 * image_read - copy a part of the file
 * @image:	the file
 * @offset:	from where
 * @to:		where to
 * @len:	bytes
 *
 * Return: 0, or -1 with a message, also when the file is shorter.
 */
int image_read(const struct image *image, u64 offset, void *to, u64 len)
{
	ssize_t got;

	if (offset > image->size || len > image->size - offset)
		return fail("%s %s: truncated: %llu bytes of at least %llu: copy it again",
			    image->what, image->path, image->size,
			    offset + len);
	while (len) {
		got = pread(image->fd, to, len, offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return fail("%s %s: %s", image->what, image->path,
				    got ? strerror(errno) : "became shorter meanwhile");
		to = (u8 *)to + got;
		offset += got;
		len -= got;
	}
	return 0;
}
